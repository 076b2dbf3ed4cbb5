/** `streamText` of `ai`, aborts and dropped streams, over real sockets. */
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { generateText, Output, streamText, experimental_streamTextLowMemory as streamTextLowMemory } from 'ai';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { RunEvent } from '../../src/index.ts';
import { cell } from '../engine/harness.ts';
import { type Door, doorOf } from './door.ts';

vi.stubGlobal('AI_SDK_LOG_WARNINGS', false);

const HANGING = { fault: 'hang-before-headers' } as const;
/** The bound for an abort, in milliseconds. The best of several counts: this machine may be busy with other work. */
const FREE_MS = 100;
const TRIES = 5;

/** Resolves when the door has an event of this type. */
async function seen({ events }: Door, type: RunEvent['type'], count = 1): Promise<void> {
  await vi.waitFor(() => expect(events.filter((event) => event.type === type).length).toBeGreaterThanOrEqual(count), {
    ...{ timeout: 20_000, interval: 2 },
  });
}

/** Resolves when a call of the provider is in flight. */
async function inFlight({ mock }: Door): Promise<void> {
  await vi.waitFor(() => expect(mock.inFlight).toBe(1), { timeout: 20_000, interval: 2 });
}

describe('streamText', () => {
  it('streams the turns as reasoning, and text only once the answer is accepted', async () => {
    const { model } = await doorOf([
      'FINAL("guess")',
      { text: `I look.\n${cell('n = len(context)')}`, pieces: 5 },
      'FINAL_VAR(n)',
    ]);
    const long = 'x'.repeat(9_000);
    const result = streamText({ model, prompt: long });
    const types: string[] = [];
    let reasoning = '';
    for await (const part of result.stream) {
      if (part.type === 'reasoning-delta') reasoning += part.text;
      if (types.at(-1) !== part.type) types.push(part.type);
    }
    expect(types).toEqual([
      ...['start', 'start-step'],
      ...Array.from({ length: 3 }, () => ['reasoning-start', 'reasoning-delta', 'reasoning-end']).flat(),
      ...['text-start', 'text-delta', 'text-end', 'finish-step', 'finish'],
    ]);
    expect(await result.text).toBe('9000');
    expect(reasoning).toContain('I look.');
    expect((await result.reasoning).map((part) => 'text' in part && part.text)).toEqual([
      'FINAL("guess")',
      expect.stringMatching(/^I look\.\n[\s\S]*\n\[t2\.0: ok, .* s\]\n$/),
      'FINAL_VAR(n)',
    ]);
  });

  it('has the same content, usage and metadata as generateText', async () => {
    const { model } = await doorOf([cell('FINAL("a")')]);
    const streamed = streamText({ model, prompt: 'q' });
    const whole = await generateText({ model, prompt: 'q' });
    const facts = ({ fathom = {} }: Readonly<Record<string, object | undefined>> = {}): string[] => Object.keys(fathom);
    expect(await streamed.text).toBe(whole.text);
    expect(await streamed.finishReason).toBe('stop');
    expect((await streamed.usage).raw).toMatchObject({ calls: 1 });
    expect(facts(await streamed.providerMetadata)).toEqual(facts(whole.providerMetadata));
    expect((await streamed.response).id).toMatch(/^[0-9A-Z]{26}$/);
  });

  it('streams structured output', async () => {
    const { model } = await doorOf(['FINAL({"n": 3})']);
    const { output } = streamText({
      model,
      prompt: 'q',
      output: Output.object({ schema: z.object({ n: z.number() }) }),
    });
    expect(await output).toEqual({ n: 3 });
  });

  it('tries again where the run was refused before anything was spent', async () => {
    const door = await doorOf(() => HANGING, { rlm: { maxRepls: 1, maxQueuedRuns: 1 } });
    const [first, second] = [new AbortController(), new AbortController()];
    const errors: unknown[] = [];
    const ask = (signal: AbortSignal, maxRetries: number) =>
      streamText({
        ...{ model: door.model, prompt: 'q', abortSignal: signal, maxRetries },
        onError: ({ error }) => {
          errors.push(error);
        },
      });
    const running = ask(first.signal, 0).consumeStream();
    await inFlight(door);
    const waiting = ask(second.signal, 0).consumeStream();
    await seen(door, 'run.queued');
    await ask(new AbortController().signal, 0).consumeStream();
    expect(errors).toMatchObject([{ name: 'AI_APICallError', statusCode: 429, isRetryable: true }]);
    const third = new AbortController();
    const retried = ask(third.signal, 2).consumeStream();
    // The wait of its first refusal is long enough for the others to end.
    door.mock.respondWith(() => 'FINAL("ok")');
    first.abort();
    second.abort();
    await Promise.all([running, waiting, retried]);
    expect(errors).toHaveLength(1);
    expect(door.events.at(-1)).toMatchObject({ type: 'run.completed', outcome: 'converged' });
  });

  it('ends with an error and what was spent where the run fails under way', async () => {
    const refused = { fault: 'status', status: 400, error: { message: 'no such thing' } } as const;
    const { model } = await doorOf([cell('x = 1'), refused]);
    const { stream } = await model.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'q' }] }] });
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) parts.push(part);
    expect(parts.slice(-2)).toMatchObject([
      { type: 'error', error: { name: 'AI_APICallError', statusCode: 502, isRetryable: false } },
      {
        ...{ type: 'finish', finishReason: { unified: 'error', raw: 'model-failure' } },
        usage: { raw: { calls: 2 } },
        providerMetadata: { fathom: { outcome: 'failed', reason: expect.stringContaining('no such thing') } },
      },
    ]);
  });
});

describe('an abort', () => {
  /** Milliseconds from `stop` until the run has ended and its call is closed; the best of several. */
  async function freed(door: Door, start: () => Promise<() => unknown>): Promise<number> {
    const times: number[] = [];
    for (let tries = 1; tries <= TRIES && Math.min(...times, Number.POSITIVE_INFINITY) >= FREE_MS; tries += 1) {
      const stop = await start();
      await inFlight(door);
      const startedAt = performance.now();
      stop();
      await seen(door, 'run.completed', tries);
      await vi.waitFor(() => expect(door.mock.inFlight).toBe(0), { timeout: 20_000, interval: 2 });
      times.push(performance.now() - startedAt);
    }
    expect(door.events.findLast(({ type }) => type === 'run.completed')).toMatchObject({ outcome: 'aborted' });
    return Math.min(...times);
  }

  it('of generateText cancels the run at once, and is not tried again', async () => {
    const door = await doorOf([HANGING]);
    let end: Promise<unknown> = Promise.resolve();
    const ms = await freed(door, async () => {
      const controller = new AbortController();
      end = generateText({ model: door.model, prompt: 'q', abortSignal: controller.signal }).catch(
        (error: unknown) => error,
      );
      return () => controller.abort();
    });
    expect(await end).toMatchObject({ name: 'AbortError' });
    expect(ms).toBeLessThan(FREE_MS);
  });

  it('of streamText cancels the run at once', async () => {
    const door = await doorOf([HANGING]);
    const ends: string[] = [];
    const ms = await freed(door, async () => {
      const controller = new AbortController();
      const { stream } = streamText({ model: door.model, prompt: 'q', abortSignal: controller.signal });
      void (async () => {
        for await (const { type } of stream) if (type === 'abort') ends.push(type);
      })();
      return () => controller.abort('enough');
    });
    expect(ends).toContain('abort');
    expect(ms).toBeLessThan(FREE_MS);
  });

  it('of a stream that is cancelled by its reader cancels the run at once', async () => {
    const door = await doorOf([HANGING]);
    const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'q' }] }];
    const ms = await freed(door, async () => {
      const { stream } = await door.model.doStream({ prompt });
      const reader = stream.getReader();
      await reader.read();
      const pending = reader.read();
      return () => Promise.all([reader.cancel(), pending]);
    });
    expect(ms).toBeLessThan(FREE_MS);
  });

  it('of a loop over the stream that is left cancels the run', async () => {
    const door = await doorOf(() => HANGING);
    // The streams of `streamText` are copies, and `ai` keeps the first for `result.text`: leaving one of them ends nothing.
    const { stream } = streamTextLowMemory({ model: door.model, prompt: 'q' });
    for await (const { type } of stream) if (type === 'start-step') break;
    await seen(door, 'run.completed');
  });

  it('before the call starts no run, and a timeout keeps its name', async () => {
    const door = await doorOf([HANGING]);
    const ask = { model: door.model, prompt: 'q' };
    await expect(generateText({ ...ask, abortSignal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(door.mock.calls).toHaveLength(0);
    await expect(generateText({ ...ask, abortSignal: AbortSignal.timeout(300) })).rejects.toThrow(
      expect.objectContaining({ name: 'TimeoutError' }),
    );
  });
});
