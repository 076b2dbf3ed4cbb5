/** `show(image)`: what the root model sees, and what happens where it sees no images. */
import { describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/index.ts';
import { png } from '../../src/model/image.testing.ts';
import { scriptedModel } from '../../src/test.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { cell, play, rlmOf } from './harness.ts';
import { allImages, imagesIn, made } from './image-cells.ts';

const PNG = png(800, 600);

describe('show', () => {
  const showing = (...more: string[]): string => cell(made('png', PNG), 'show(png)', ...more);

  it('gives the root model the image in the next message, and keeps it there', async () => {
    const { root } = await play({ context: 'x', root: [showing(), cell('1'), cell('FINAL("seen")')] });
    expect(root.requests.map(({ images }) => images.length)).toEqual([0, 1, 0]);
    expect(allImages(root.requests[2])).toBe(1);
    expect(Buffer.from(root.requests[1]?.images[0]?.data ?? [])).toEqual(Buffer.from(PNG));
  });

  it('of more images than a request may have keeps the newest', async () => {
    const { root } = await play({
      context: 'x',
      root: [showing('for _ in range(11): show(png)'), showing('for _ in range(5): show(png)'), cell('FINAL(1)')],
    });
    expect(root.requests.map(allImages)).toEqual([0, 12, 16]);
    expect(root.requests[1]?.prompt).not.toContain('dropped to save room');
    expect(root.requests[2]?.messages[3]?.content).toMatch(
      /\n\(the first 2 of 12 images of this message dropped to save room: show\(image\) shows one again\)$/,
    );
    expect(root.requests[2]?.messages[5]?.content).not.toContain('dropped to save room');
  });

  it('is a clear error in the cell for a root model that reads text alone, and in a session', async () => {
    const text = await startMockProvider({
      respond: ({ messages }) => (messages.some(({ role }) => role === 'assistant') ? 'FINAL(seen)' : showing()),
    });
    for (const [name, value] of Object.entries(text.env)) vi.stubEnv(name, value);
    const rlm = rlmOf({ model: 'openai/gpt-3.5-turbo' });
    const { trajectory } = await rlm.completion({ query: 'q', context: 'x' });
    await text.close();
    expect(trajectory.turns[0]?.commands[0]?.shown).toContain(
      'ValueError: openai/gpt-3.5-turbo cannot be shown images: it reads text alone. Instead, ask a sub-model',
    );
    const session = await rlm.createSession();
    const outcome = await session.execute(`${made('png', PNG)}\nshow(png)`);
    expect(outcome.error?.message).toContain('no model looks at this cell');
    await session.close();
  });

  it('takes images out of the conversation where the endpoint refuses them, and the run continues', async () => {
    const refusing = await startMockProvider({
      respond: ({ body, messages }) => {
        if (imagesIn(body).length > 0)
          return {
            fault: 'status',
            status: 400,
            error: { message: 'images are not supported', type: 'invalid_request_error' },
          };
        const turn = messages.filter(({ role }) => role === 'assistant').length;
        return [showing(), showing(), cell('FINAL("continued")')][turn] ?? '';
      },
    });
    const rlm = rlmOf({ model: `${refusing.url}/v1#some-model` });
    const result = await rlm.completion({ query: 'q', context: 'x' });
    await refusing.close();
    expect(result.answer).toBe('continued');
    expect(refusing.calls).toHaveLength(4);
    expect(refusing.calls[2]?.request.prompt).toContain('Your endpoint refused the images');
    expect(refusing.calls[2]?.request.prompt).not.toContain('dropped to save room');
    expect(result.trajectory.turns[1]?.commands[0]?.shown).toContain('cannot be shown images');
    expect(result.trajectory.turns[1]?.commands[0]?.shown).toContain('images are not supported');
  });

  it('is shown again by a run that is resumed', async () => {
    const store = memoryStore();
    let stop = (): void => undefined;
    const root = scriptedModel(({ callIndex, signal }) => {
      if (callIndex === 0) return showing();
      if (callIndex > 1) return cell('FINAL("done")');
      stop();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const rlm = rlmOf({ model: root, store });
    const run = rlm.completion({ query: 'q', context: 'x' });
    stop = () => run.pause();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect((await rlm.resume(run.id)).answer).toBe('done');
    expect(root.requests.map(({ images }) => images.length)).toEqual([0, 1, 1]);
  });
});
