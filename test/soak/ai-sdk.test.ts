/**
 * 1 000 calls of `generateText` at once: each is answered or refused with an error that `ai` tries again, within a bound of
 * memory. In CI the queue is short, so that most are refused; `npm run soak` answers all of them.
 *
 * @module
 */
import { APICallError } from '@ai-sdk/provider';
import { generateText } from 'ai';
import { expect, test } from 'vitest';
import { languageModel } from '../../src/ai-sdk/index.ts';
import { createRlm } from '../../src/index.ts';
import { DEFAULT_MAX_QUEUED_RUNS, defaultMaxRepls } from '../../src/limits.ts';
import { cell } from '../engine/harness.ts';
import { startMockProvider } from '../mock-provider/index.ts';

const FULL = process.env.FATHOM_SOAK === '1';
const CALLS = 1_000;
const QUEUED = FULL ? DEFAULT_MAX_QUEUED_RUNS : 40;
const MIB = 1024 ** 2;
/** Bytes by which the host, the provider on loopback included, may grow: docs/ai-sdk.md states it. */
const HOST_BYTES = 512 * MIB;

test(`${CALLS} calls at once are answered or refused`, { timeout: FULL ? 1_800_000 : 120_000 }, async () => {
  const provider = await startMockProvider({ respond: () => cell('FINAL(str(len(context)))') });
  await using rlm = createRlm({ model: `${provider.url}/v1#root`, maxQueuedRuns: QUEUED });
  const model = languageModel(rlm);
  const ask = async (chars: number): Promise<'answered' | 'refused'> => {
    try {
      const { text } = await generateText({ model, prompt: 'x'.repeat(chars), maxRetries: 0 });
      // Each has a context of its own: the answer shows that it was this one.
      expect(text).toBe(String(chars));
      return 'answered';
    } catch (error) {
      expect(APICallError.isInstance(error) && error.isRetryable && error.statusCode, String(error)).toBe(429);
      expect(Number((error as APICallError).responseHeaders?.['retry-after-ms'])).toBeGreaterThan(0);
      return 'refused';
    }
  };
  await ask(10_000);
  const before = process.memoryUsage.rss();
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss() - before);
  }, 100);
  const ends = await Promise.all(Array.from({ length: CALLS }, (_, index) => ask(10_000 + index)));
  clearInterval(timer);
  await provider.close();
  const answered = ends.filter((end) => end === 'answered').length;
  console.log(`${answered} answered, ${CALLS - answered} refused: host +${(peak / MIB).toFixed(0)} MiB`);
  // A REPL that is closing still has its place.
  expect(answered).toBeGreaterThanOrEqual(Math.min(CALLS, QUEUED + defaultMaxRepls() / 2));
  expect(answered).toBeLessThanOrEqual(QUEUED + defaultMaxRepls());
  expect(peak).toBeLessThan(HOST_BYTES);
});
