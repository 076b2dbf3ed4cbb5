/** Conversations that the provider refuses for their length, over the wire. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunEvent } from '../../src/index.ts';
import { png } from '../../src/model/image.testing.ts';
import { type MockRequest, startMockProvider } from '../mock-provider/index.ts';
import { cell, rlmOf } from './harness.ts';
import { made } from './image-cells.ts';

const tokensOf = ({ system, messages }: MockRequest): number =>
  Math.ceil(messages.reduce((sum, { content }) => sum + content.length, system.length) / 4);

const printing = (turn: number): string => cell(`print("n${turn} " * 2000)`);

/** A root that prints 8 times and answers, behind a server that refuses prompts above `limit` tokens in OpenAI's words. */
async function play({
  limit,
  least = 0,
  first = printing(1),
}: {
  readonly limit: number;
  readonly least?: number;
  /** The first reply. */
  readonly first?: string;
}) {
  let turn = 0;
  const asked: number[] = [];
  const texts: string[] = [];
  const mock = await startMockProvider({
    respond: (request) => {
      const tokens = tokensOf(request);
      if (request.system === '') return { text: 'Summary: numbers were printed.' };
      asked.push(tokens);
      texts.push(request.messages.map(({ content }) => content).join('\n'));
      if (tokens > limit || (turn > 0 && tokens > least && least > 0)) {
        const message = `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${tokens} tokens.`;
        return {
          fault: 'status',
          status: 400,
          error: { message, type: 'invalid_request_error', code: 'context_length_exceeded' },
        };
      }
      turn += 1;
      if (turn === 1) return { text: first };
      return { text: turn <= 8 ? printing(turn) : 'FINAL("done")' };
    },
  });
  onTestFinished(() => mock.close());
  const events: RunEvent[] = [];
  const rlm = rlmOf({ model: `${mock.url}/v1#unknown-model`, onEvent: (event) => events.push(event) });
  const result = await Promise.resolve(rlm.completion({ query: 'Q', context: 'x' })).catch((error: unknown) => error);
  return { result, events, asked, texts };
}

describe('a conversation that the provider refuses for its length', () => {
  it('is compacted and asked again, and the run continues', async () => {
    const { result, events } = await play({ limit: 9_000 });
    expect(result).toMatchObject({ outcome: 'converged', text: 'done', turns: 9 });
    const compacted = events.filter((event) => event.type === 'context.compacted');
    expect(compacted[0]).toMatchObject({ cause: 'context-length', window: 9_000 });
    const refusals = events.filter((event) => event.type === 'usage.recorded' && event.fault === 'context-length');
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.length).toBeLessThanOrEqual(compacted.length);
  });

  it('loses its images with the turns, and the model reads how many', async () => {
    const first = cell(made('png', png(8, 8)), 'show(png)', 'show(png)', 'print("n1 " * 2000)');
    const { result, events, texts } = await play({ limit: 9_000, first });
    expect(result).toMatchObject({ outcome: 'converged', text: 'done' });
    const dropped = events.flatMap((event) => ('imagesDropped' in event ? [event.imagesDropped] : []));
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(texts.at(-1)).toMatch(/- t1: \[t1\.0\] cell ok, \d+ characters; 2 images, which history does not return/);
  });

  it('ends the run as before when the compacted conversation is refused as well', async () => {
    const { result, asked } = await play({ limit: 9_000, least: 1 });
    expect(result).toMatchObject({ code: 'context-length', resumable: true });
    // The first turn, the second turn, and one more try with less.
    expect(asked).toHaveLength(3);
    expect(asked[2]).toBeLessThan(asked[1] ?? 0);
  });

  it('ends the run at once where there is nothing to leave out', async () => {
    const { result, asked } = await play({ limit: 100 });
    expect(result).toMatchObject({ code: 'context-length' });
    expect(asked).toHaveLength(1);
  });
});
