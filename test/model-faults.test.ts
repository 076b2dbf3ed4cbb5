/** Faults a provider answers with a status, over real sockets, each with the line a user would see. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callMock } from './mock-provider/fault-harness.ts';
import {
  MOCK_KEY,
  type MockErrorBody,
  type MockProvider,
  type MockReply,
  startMockProvider,
} from './mock-provider/index.ts';

let mock: MockProvider;
let script: MockReply[] = [];
let next = 0;
beforeAll(async () => {
  mock = await startMockProvider({ respond: () => 'unset' });
});
afterAll(() => mock.close());
beforeEach(() => {
  script = [];
  next = 0;
  // The script's last reply repeats.
  mock.respondWith(() => script[Math.min(next++, script.length - 1)] ?? 'forty-two');
});

function status(code: number, error?: MockErrorBody, headers?: Record<string, string>): MockReply {
  return {
    fault: 'status',
    status: code,
    ...(error === undefined ? {} : { error }),
    ...(headers === undefined ? {} : { headers }),
  };
}

describe('faults of the server', () => {
  test.each([500, 502, 503, 504, 520, 524, 529, 408, 409])('%i: retried', async (code) => {
    script = [status(code, { message: 'try again' }), 'forty-two'];
    const { reply, attempts, log } = await callMock(mock);
    expect(reply?.text).toBe('forty-two');
    expect(attempts).toHaveLength(2);
    expect(log[0]).toContain(`(HTTP ${code}): try again. [can be retried`);
  });

  test('503 for ever: fails this call after a limited number of attempts', async () => {
    script = [status(503, { message: 'down for maintenance' })];
    const { error, attempts, log } = await callMock(mock, { callTimeoutMs: 60_000 });
    expect(error).toMatchObject({ code: 'model-failure', retryable: true, stopsNewCalls: false });
    expect(attempts).toHaveLength(5);
    expect(log.at(-1)).toContain('down for maintenance. Gave up after 5 attempts.');
  }, 60_000);

  test('504: the upstream may have answered: possibly billed', async () => {
    script = [status(504), 'forty-two'];
    const { attempts, usage } = await callMock(mock);
    expect(attempts[0]).toMatchObject({ possiblyBilled: true, usage: { estimated: true } });
    expect(usage.possiblyBilled).toBe(1);
  });

  test('x-should-retry outranks the status, both ways', async () => {
    script = [status(500, { message: 'no use' }, { 'x-should-retry': 'false' })];
    expect((await callMock(mock)).attempts).toHaveLength(1);
    script = [status(400, { message: 'odd' }, { 'x-should-retry': 'true' }), 'forty-two'];
    next = 0;
    expect((await callMock(mock)).reply?.text).toBe('forty-two');
  });
});

describe('faults of the request', () => {
  test('400: not retried, the provider’s own text, trimmed', async () => {
    script = [
      status(400, {
        message: `Unsupported parameter: 'temperature'. ${'x'.repeat(2_000)}`,
        type: 'invalid_request_error',
      }),
    ];
    const { error, attempts, log } = await callMock(mock);
    expect(error).toMatchObject({ code: 'bad-request', retryable: false });
    expect(attempts).toHaveLength(1);
    expect(log.at(-1)).toContain(
      "openai/gpt-5 did not accept the request (HTTP 400): Unsupported parameter: 'temperature'.",
    );
    expect(log.at(-1)?.length).toBeLessThan(600);
  });

  test.each([
    [
      'openai/gpt-5',
      400,
      {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 150001 tokens.",
        code: 'context_length_exceeded',
      },
      128_000,
      150_001,
    ],
    [
      'anthropic/claude-sonnet-4-5',
      400,
      { message: 'prompt is too long: 215000 tokens > 200000 maximum', type: 'invalid_request_error' },
      200_000,
      215_000,
    ],
    [
      'anthropic/claude-sonnet-4-5',
      400,
      {
        message: 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length',
        type: 'invalid_request_error',
      },
      200_000,
      210_000,
    ],
    [
      'google/gemini-2.5-pro',
      400,
      {
        message: 'The input token count (1234567) exceeds the maximum number of tokens allowed (1048576).',
        type: 'INVALID_ARGUMENT',
      },
      1_048_576,
      1_234_567,
    ],
    [
      'openai-compatible/m',
      400,
      {
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        type: 'BadRequestError',
      },
      4_096,
      5_000,
    ],
    [
      'openai/gpt-5',
      429,
      {
        message: 'Request too large for gpt-5 on tokens per min (TPM): Limit 30000, Requested 50000.',
        code: 'rate_limit_exceeded',
      },
      30_000,
      50_000,
    ],
    [
      'anthropic/claude-sonnet-4-5',
      413,
      { message: 'Request exceeds the maximum size', type: 'request_too_large' },
      undefined,
      undefined,
    ],
  ])('context length (%s, %i): not retried, names limit and size', async (ref, code, body, limit, size) => {
    script = [status(code, body)];
    const { error, attempts, log } = await callMock(mock, { ref });
    expect(error).toMatchObject({ code: 'context-length', retryable: false });
    expect({ limit: error?.data.limit, size: error?.data.size }).toEqual({ limit, size });
    expect(attempts).toHaveLength(1);
    expect(log.at(-1)).toContain('send less or split it');
  });
});

describe('no connection', () => {
  test('connection refused: retried a limited time; the line names the host', async () => {
    const closed = await startMockProvider({ respond: () => 'x' });
    await closed.close();
    const { error, attempts, log, usage } = await callMock(closed);
    expect(error).toMatchObject({ code: 'model-failure', fault: 'unreachable', possiblyBilled: false });
    expect(attempts.length).toBeGreaterThan(1);
    expect(usage).toMatchObject({ inputTokens: 0, outputTokens: 0 });
    const host = closed.url.slice('http://'.length);
    expect(log[0]).toBe(
      `model-failure: openai/gpt-5 cannot be reached at ${host}: no connection (ECONNREFUSED); nothing listens there: start the server, or correct the URL. [can be retried]`,
    );
  });

  test('unknown host: retried a limited time', async () => {
    const env = { ...mock.env, OPENAI_BASE_URL: 'http://no-such-host.invalid/v1' };
    const { error, log } = await callMock(mock, { env });
    expect(error?.fault).toBe('unreachable');
    expect(log[0]).toMatch(
      /cannot be reached at no-such-host\.invalid: its name cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)/,
    );
    expect(log.join()).not.toContain(MOCK_KEY);
  });

  test('a connection that comes back within that time: answers', async () => {
    const port = Number(new URL(mock.url).port);
    await mock.close();
    const call = callMock(mock, { retry: { baseMs: 10, capMs: 50, unreachableMs: 5_000 } });
    mock = await startMockProvider({ respond: () => 'back again', port });
    expect((await call).reply?.text).toBe('back again');
  });
});

test('no key: refused before anything is sent, naming the variable', async () => {
  const before = mock.calls.length;
  await expect(callMock(mock, { env: { OPENAI_BASE_URL: mock.url } })).rejects.toMatchObject({
    code: 'missing-key',
    message:
      'There is no key for openai/gpt-5: set the environment variable OPENAI_API_KEY. Fathom does not read .env files.',
  });
  expect(mock.calls.length).toBe(before);
});
