/** Faults inside a 200 stream, over real sockets, for every wire format. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callMock } from './mock-provider/fault-harness.ts';
import { type MockProvider, type MockReply, startMockProvider } from './mock-provider/index.ts';

const REFS = [
  'openai/gpt-5',
  'openai.responses/gpt-5',
  'anthropic/claude-sonnet-4-5',
  'google/gemini-2.5-pro',
  'openai-compatible/local',
] as const;

let mock: MockProvider;
let script: MockReply[] = [];
beforeAll(async () => {
  mock = await startMockProvider({ respond: () => 'unset' });
});
afterAll(() => mock.close());
beforeEach(() => {
  script = [];
  let next = 0;
  mock.respondWith(() => script[Math.min(next++, script.length - 1)] ?? 'unset');
});
const modelId = (ref: string): string => ref.replace('.responses', '');

describe.each(REFS)('%s', (ref) => {
  test('a good reply: text, usage as the provider counts it, nothing estimated', async () => {
    script = [{ text: 'Grüße, 世界 👋', usage: { inputTokens: 31, outputTokens: 7 } }];
    const { reply, usage } = await callMock(mock, { ref });
    expect(reply).toMatchObject({ text: 'Grüße, 世界 👋', finishReason: 'stop' });
    expect(usage).toMatchObject({ inputTokens: 31, outputTokens: 7, estimated: 0, calls: 1 });
    expect(usage).toMatchObject(mock.calls.at(-1)?.usage ?? {});
  });

  test('reset before the first byte: retried, possibly billed', async () => {
    script = [{ fault: 'reset-before-headers' }, 'whole'];
    const { reply, attempts, log } = await callMock(mock, { ref });
    expect(reply?.text).toBe('whole');
    expect(attempts[0]).toMatchObject({ possiblyBilled: true, usage: { estimated: true } });
    expect(log[0]).toMatch(
      /^model-failure: The connection of .* was lost before the reply began .*\[can be retried; possibly billed\]$/,
    );
  });

  test.each(['reset-mid-stream', 'truncated'] as const)(
    '%s: partial text is never an answer; its usage is estimated',
    async (fault) => {
      script = [{ fault, after: 'FINAL(41) is not the ' }, 'whole'];
      const { reply, attempts, log } = await callMock(mock, { ref });
      expect(reply?.text).toBe('whole');
      expect(attempts[0]).toMatchObject({ possiblyBilled: true, usage: { estimated: true, outputTokens: 6 } });
      expect(log[0]).toMatch(
        /(in the middle of the reply|broke off after 21 characters).*\[can be retried; possibly billed\]$/,
      );
    },
  );

  test('reset after a whole reply: answers, and pays once', async () => {
    script = [{ fault: 'reset-after-reply', after: 'whole' }, 'not asked for'];
    const { reply, attempts, usage } = await callMock(mock, { ref });
    expect(reply).toMatchObject({ text: 'whole', finishReason: 'stop' });
    expect([attempts.length, usage.possiblyBilled]).toEqual([1, 0]);
  });

  test('hang after a whole reply: answers, pays once, and closes the socket', async () => {
    script = [{ fault: 'hang-after-reply', after: 'whole' }, 'not asked for'];
    const { reply, attempts, usage } = await callMock(mock, { ref, idleTimeoutMs: 150 });
    expect(reply).toMatchObject({ text: 'whole', finishReason: 'stop' });
    expect([attempts.length, usage.possiblyBilled]).toEqual([1, 0]);
    await expect.poll(() => mock.inFlight, { timeout: 5_000 }).toBe(0);
  });

  test('hang before headers: given up after the idle timeout, retried', async () => {
    script = [{ fault: 'hang-before-headers' }, 'whole'];
    const { reply, log } = await callMock(mock, { ref, idleTimeoutMs: 150 });
    expect(reply?.text).toBe('whole');
    expect(log[0]).toBe(
      `timeout: ${modelId(ref)} sent nothing for 0.15 s before the reply began (limit callFirstByteTimeoutMs); the connection was given up. [can be retried; possibly billed]`,
    );
  });

  test('idle in the middle of the stream: given up, retried', async () => {
    script = [{ fault: 'hang-mid-stream', after: 'half ' }, 'whole'];
    const { reply, log } = await callMock(mock, { ref, idleTimeoutMs: 150 });
    expect(reply?.text).toBe('whole');
    expect(log[0]).toContain('sent nothing for 0.15 s in the middle of the reply');
  });

  test('slow but alive: continues as long as bytes come', async () => {
    script = [{ text: 'slow and steady wins the race', pieces: 8, pieceDelayMs: 60 }];
    const { reply, attempts, elapsedMs } = await callMock(mock, { ref, idleTimeoutMs: 400 });
    expect(reply?.text).toBe('slow and steady wins the race');
    expect(attempts).toHaveLength(1);
    expect(elapsedMs).toBeGreaterThan(440);
  });

  test('slow but alive beyond callTimeoutMs: ended, not retried', async () => {
    script = [{ text: 'x'.repeat(100), pieces: 100, pieceDelayMs: 20 }];
    const { error, log } = await callMock(mock, { ref, callTimeoutMs: 300 });
    expect(error).toMatchObject({ code: 'timeout', possiblyBilled: true, usage: { estimated: true } });
    expect(log.at(-1)).toContain('took longer than callTimeoutMs = 0.3 s.');
  });

  test('UTF-8 and events cut anywhere: read as if whole', async () => {
    const text = 'Grüße, 世界 👋 – ẞ\u2028';
    for (const packetBytes of [1, 7]) {
      script = [{ text, packetBytes }];
      const { reply, attempts } = await callMock(mock, { ref });
      expect(reply?.text).toBe(text);
      expect(attempts).toHaveLength(1);
    }
  });

  test.each(['', 'half '])('malformed JSON (after %j): retried a limited number of times', async (after) => {
    script = [{ fault: 'malformed', after }, 'whole'];
    const { reply, log } = await callMock(mock, { ref });
    expect(reply?.text).toBe('whole');
    expect(log[0]).toMatch(/sent a piece of its reply that cannot be read.*\[can be retried; possibly billed\]$/);
  });

  test('an HTML page with status 200 where no API has answered: not retried, with what to try', async () => {
    script = [{ fault: 'html' }, 'whole'];
    const { reply, attempts, log } = await callMock(mock, { ref });
    expect(reply).toBeUndefined();
    expect(attempts).toHaveLength(1);
    expect(log[0]).toMatch(/ cannot be asked at http\S+: a web page answers there instead of an API\..* open the URL/);
  });

  test('an HTML page from a server that has answered: retried', async () => {
    script = [{ fault: 'status', status: 503 }, { fault: 'html' }, 'whole'];
    const { reply, attempts } = await callMock(mock, { ref });
    expect(reply?.text).toBe('whole');
    expect(attempts).toHaveLength(3);
  });

  test.each(['', 'half '])('overloaded error event in a 200 stream (after %j): retried as 503', async (after) => {
    script = [{ fault: 'error-event', after, error: { type: 'overloaded_error', message: 'Overloaded' } }, 'whole'];
    const { reply, attempts, log } = await callMock(mock, { ref });
    expect(reply?.text).toBe('whole');
    expect(attempts[0]?.outcome).toMatchObject({ ok: false, error: { fault: 'overloaded', retryable: true } });
    expect(log[0]).toMatch(/is overloaded.*: Overloaded\. \[can be retried/);
  });

  test('an empty reply: one retry, then a typed empty answer', async () => {
    script = [{ fault: 'empty' }];
    const { error, attempts, log } = await callMock(mock, { ref });
    expect(error).toMatchObject({ code: 'model-failure', fault: 'empty' });
    expect(attempts).toHaveLength(2);
    expect(log.at(-1)).toBe(
      `model-failure: ${modelId(ref)} returned an empty reply. Gave up after 2 attempts. [can be retried]`,
    );
  });

  test('an empty reply, then a good one: answers', async () => {
    script = [{ fault: 'empty' }, 'whole'];
    expect((await callMock(mock, { ref })).reply?.text).toBe('whole');
  });

  test('unknown finish reason and extra fields: tolerated', async () => {
    script = [{ text: 'whole', finishReason: 'because', extraFields: { new_field: { a: 1 } } }];
    expect((await callMock(mock, { ref })).reply).toMatchObject({ text: 'whole', finishReason: 'other' });
  });

  test('no usage: estimated and marked', async () => {
    script = [{ text: 'whole reply', usage: null }];
    const { usage } = await callMock(mock, { ref });
    expect(usage).toMatchObject({ estimated: 1 });
    expect(usage.inputTokens).toBeGreaterThan(5);
    expect(usage.outputTokens).toBeGreaterThan(0);
  });

  test.each([
    [0, 0],
    [-5, -1],
    [9e12, 9e12],
  ])('absurd usage (%d, %d): the ledger gets an estimate, the report is kept', async (inputTokens, outputTokens) => {
    script = [{ text: 'whole reply', usage: { inputTokens, outputTokens } }];
    const { usage, reply } = await callMock(mock, { ref });
    expect(reply?.usage).toMatchObject({ estimated: true, reported: { inputTokens } });
    expect(usage.inputTokens).toBeGreaterThan(5);
    expect(usage.inputTokens).toBeLessThan(1_000);
    expect(usage.outputTokens).toBeGreaterThan(0);
  });

  test('a huge reply: closed at the byte cap, not retried', async () => {
    script = [{ fault: 'huge', bytes: 50 * 1024 * 1024 }];
    const { error, attempts, log, usage } = await callMock(mock, { ref, maxResponseBytes: 1024 * 1024 });
    expect(error).toMatchObject({ fault: 'too-large', retryable: false });
    expect(attempts).toHaveLength(1);
    expect(usage.outputTokens).toBeLessThanOrEqual(500);
    expect(log.at(-1)).toBe(
      `model-failure: ${modelId(ref)} sent more than 1024 KiB; the connection was closed. [possibly billed]`,
    );
  });

  test.each(['gzip', 'br'] as const)('%s: decoded', async (encoding) => {
    script = [{ text: 'pressed', encoding }];
    expect((await callMock(mock, { ref })).reply?.text).toBe('pressed');
  });

  test('cancelled: the socket closes, the call rejects at once, its usage is estimated', async () => {
    const control = new AbortController();
    mock.respondWith(() => {
      queueMicrotask(() => control.abort());
      return { fault: 'hang-before-headers' };
    });
    const { error, usage } = await callMock(mock, { ref, signal: control.signal });
    expect(error).toMatchObject({ code: 'cancelled', possiblyBilled: true });
    expect(usage.estimated).toBe(1);
    await expect.poll(() => mock.inFlight).toBe(0);
  });
});

describe('finish reasons in each provider’s own words', () => {
  test.each([
    ['openai/gpt-5', 'length'],
    ['openai.responses/gpt-5', 'max_output_tokens'],
    ['anthropic/claude-sonnet-4-5', 'max_tokens'],
    ['google/gemini-2.5-pro', 'MAX_TOKENS'],
    ['openai-compatible/local', 'length'],
  ])('%s %s: the reply is flagged as cut off', async (ref, finishReason) => {
    script = [{ text: 'cut o', finishReason }];
    expect((await callMock(mock, { ref })).reply).toMatchObject({ text: 'cut o', finishReason: 'length' });
  });

  test('all output tokens used up without text: no retry, a clear error', async () => {
    script = [{ text: '', reasoning: 'thinking and thinking', finishReason: 'length' }];
    const { error, attempts, log } = await callMock(mock, { ref: 'openai-compatible/local' });
    expect(error).toMatchObject({ fault: 'empty', retryable: false });
    expect(attempts).toHaveLength(1);
    expect(log.at(-1)).toContain('used up its 500 output tokens without any text');
  });

  test.each([
    ['openai/gpt-5', 'content_filter'],
    ['openai.responses/gpt-5', 'content_filter'],
    ['anthropic/claude-sonnet-4-5', 'refusal'],
    ['google/gemini-2.5-pro', 'SAFETY'],
    ['openai-compatible/local', 'content_filter'],
  ])('%s %s: a typed refusal, no blind retry, its usage counted', async (ref, finishReason) => {
    script = [{ text: 'I will not', finishReason, usage: { inputTokens: 9, outputTokens: 4 } }];
    const { error, attempts, usage, log } = await callMock(mock, { ref });
    expect(error).toMatchObject({ code: 'model-refused', retryable: false });
    expect(attempts).toHaveLength(1);
    expect(usage).toMatchObject({ inputTokens: 9, outputTokens: 4, estimated: 0 });
    expect(log.at(-1)).toBe(
      `model-refused: ${modelId(ref)} refused to answer: its content filter ended the reply (${finishReason}).`,
    );
  });
});
