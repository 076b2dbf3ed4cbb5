/**
 * The time that early start wins: a root model streams 50 tokens per second, and its cell asks 10 sub-calls of 2 s each while
 * the rest of the reply arrives. The floor is the same turn with one after the other: the time of the reply and of the cell.
 *
 * Run: `node bench/early-start.bench.ts`
 */
import { createRlm, type RunEvent } from '../src/index.ts';
import { scriptedModel } from '../src/test.ts';
import { startMockProvider } from '../test/mock-provider/index.ts';
import { cell, report } from './support/report.ts';

const TOKENS_PER_SECOND = 50;
const CHARS_PER_TOKEN = 4;
/** Milliseconds of each sub-call. */
const SUB_CALL_MS = 2_000;
const BLOCK = cell('replies = llm_query_batched([f"part {i}" for i in range(10)])');
/** Tokens behind the block: a paragraph of what the model expects. */
const TAILS = [0, 50, 150, 400];

export async function benchEarlyStart(): Promise<void> {
  for (const tail of TAILS) {
    const text = `I ask about all parts.\n${BLOCK}\n${'and on. '.repeat(Math.ceil((tail * CHARS_PER_TOKEN) / 8))}`;
    const mock = await startMockProvider({
      respond: ({ messages }) =>
        messages.some(({ role }) => role === 'assistant')
          ? cell('FINAL(len(replies))')
          : { text, pieces: Math.ceil(text.length / CHARS_PER_TOKEN), pieceDelayMs: 1_000 / TOKENS_PER_SECOND },
    });
    const events: RunEvent[] = [];
    const subModel = scriptedModel(() => 'a reply', { latencyMs: SUB_CALL_MS });
    const rlm = createRlm({ model: `${mock.url}/v1#root`, subModel, onEvent: (event) => events.push(event) });
    await rlm.completion({ query: 'q', context: 'x' });
    await rlm.close();
    await mock.close();
    const replied = events.find((event) => event.type === 'model.replied');
    const ran = events.find((event) => event.type === 'cell.completed');
    const turn = events.find((event) => event.type === 'turn.completed');
    if (replied === undefined || ran === undefined || turn === undefined) throw new Error('the run had no turn');
    const oneAfterTheOther = replied.durationMs + ran.durationMs;
    report({
      name: `turn of ${Math.round(text.length / CHARS_PER_TOKEN)} tokens, ${tail} behind the block`,
      measured: turn.durationMs / 1_000,
      unit: 's',
      floor: oneAfterTheOther / 1_000,
      bar: oneAfterTheOther / 1_000,
    });
  }
}

if (import.meta.main) await benchEarlyStart();
