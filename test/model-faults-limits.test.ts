/** Faults that ask for a stop or a wait, over real sockets, each with the line a user would see. */
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
beforeAll(async () => {
  mock = await startMockProvider({ respond: () => 'unset' });
});
afterAll(() => mock.close());
beforeEach(() => {
  script = [];
  let next = 0;
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
const RATE: MockErrorBody = { message: 'Rate limit reached for requests', type: 'rate_limit_error' };

describe('429, rate limited', () => {
  test('with Retry-After in seconds: waits that long, then answers', async () => {
    script = [status(429, RATE, { 'retry-after': '1' }), 'forty-two'];
    const { reply, log, attempts, elapsedMs } = await callMock(mock);
    expect(reply?.text).toBe('forty-two');
    expect(elapsedMs).toBeGreaterThanOrEqual(1_000);
    expect(attempts).toHaveLength(2);
    expect(attempts[0]?.usage).toEqual({ inputTokens: 0, outputTokens: 0, estimated: false });
    expect(log).toEqual([
      'rate-limited: openai/gpt-5 is rate limited (HTTP 429), asks to wait 1 s: Rate limit reached for requests. [can be retried after 1 s]',
    ]);
  });

  test('with Retry-After as an HTTP date: waits until then', async () => {
    // Dates have whole seconds: the wait is between one and two.
    const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1_000).toUTCString();
    script = [status(429, RATE, { 'retry-after': date }), 'forty-two'];
    const { reply, elapsedMs } = await callMock(mock);
    expect(reply?.text).toBe('forty-two');
    expect(elapsedMs).toBeGreaterThanOrEqual(900);
  });

  test('with retry-after-ms: waits that long', async () => {
    script = [status(429, RATE, { 'retry-after-ms': '120' }), 'forty-two'];
    const { reply, elapsedMs, log } = await callMock(mock);
    expect(reply?.text).toBe('forty-two');
    expect(elapsedMs).toBeGreaterThanOrEqual(120);
    expect(log[0]).toContain('[can be retried after 0.12 s]');
  });

  test('with a Retry-After in the past: the least backoff', async () => {
    script = [status(429, RATE, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), 'forty-two'];
    const { reply, attempts } = await callMock(mock);
    expect(reply?.text).toBe('forty-two');
    expect(attempts[0]?.retryInMs).toBeGreaterThan(0);
    expect(attempts[0]?.retryInMs).toBeLessThan(50);
  });

  test('with a Retry-After beyond the deadline: fails at once and says how long it would be', async () => {
    script = [status(429, RATE, { 'retry-after': '600' })];
    const { error, elapsedMs, log } = await callMock(mock, { deadlineMs: 3_000 });
    expect(error).toMatchObject({ code: 'rate-limited', retryable: true, retryAfterMs: 600_000, httpStatus: 429 });
    expect(elapsedMs).toBeLessThan(1_500);
    expect(log.at(-1)).toContain('[can be retried after 600 s]');
  });

  test('without Retry-After: backs off and does not count as a failed attempt of the call', async () => {
    script = [...Array(8).fill(status(429, RATE)), 'forty-two'];
    const { reply, attempts } = await callMock(mock, { callTimeoutMs: 60_000 });
    expect(reply?.text).toBe('forty-two');
    expect(attempts).toHaveLength(9);
  }, 60_000);

  test('Google: RetryInfo in the body is obeyed', async () => {
    const body = JSON.stringify({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: 'Quota exceeded',
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.2s' }],
      },
    });
    script = [{ fault: 'status', status: 429, body }, 'forty-two'];
    const { reply, elapsedMs } = await callMock(mock, { ref: 'google/gemini-2.5-pro' });
    expect(reply?.text).toBe('forty-two');
    expect(elapsedMs).toBeGreaterThanOrEqual(200);
  });
});

describe('faults that need a person', () => {
  test.each([
    [
      'openai/gpt-5',
      status(429, {
        message: 'You exceeded your current quota, please check your plan.',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      }),
    ],
    [
      'anthropic/claude-sonnet-4-5',
      status(400, {
        message: 'Your credit balance is too low to access the Anthropic API.',
        type: 'invalid_request_error',
      }),
    ],
    ['openrouter/x/y', status(402, { message: 'Insufficient credits' })],
  ])('quota or billing (%s): not retried, no new calls, resumable', async (ref, reply) => {
    script = [reply];
    const before = mock.calls.length;
    const { error, log } = await callMock(mock, { ref });
    expect(error).toMatchObject({ code: 'rate-limited', retryable: false, userAction: true, stopsNewCalls: true });
    expect(error?.data.resumable).toBe(true);
    expect(mock.calls.length - before).toBe(1);
    expect(log.at(-1)).toMatch(
      /^rate-limited: The quota or credit for .* is used up .* \[no new calls; the run can be resumed\]$/,
    );
  });

  test.each([
    [
      'openai/gpt-5',
      401,
      { message: `Incorrect API key provided: ${MOCK_KEY}.`, type: 'invalid_request_error', code: 'invalid_api_key' },
    ],
    ['openai/gpt-5', 401, { message: 'no such key', type: 'invalid_api_key', code: MOCK_KEY }],
    ['anthropic/claude-sonnet-4-5', 401, { message: 'invalid x-api-key', type: 'authentication_error' }],
    ['anthropic/claude-sonnet-4-5', 403, { message: 'Request not allowed', type: 'forbidden' }],
    [
      'google/gemini-2.5-pro',
      400,
      { message: 'API key not valid. Please pass a valid API key.', type: 'INVALID_ARGUMENT', code: 'API_KEY_INVALID' },
    ],
  ])('wrong key (%s, %i): not retried, no new calls, the key is never shown', async (ref, code, body) => {
    script = [status(code, body)];
    const before = mock.calls.length;
    const { error, log } = await callMock(mock, { ref });
    expect(error).toMatchObject({ code: 'missing-key', retryable: false, userAction: true, stopsNewCalls: true });
    expect(error?.data.resumable).toBe(true);
    expect(mock.calls.length - before).toBe(1);
    expect(log.at(-1)).toMatch(/^missing-key: The key for .* was not accepted/);
    expect(
      JSON.stringify({ log, error, data: error?.data, cause: String(error?.cause), stack: error?.stack }),
    ).not.toContain(MOCK_KEY);
  });

  test.each([
    ['base64', Buffer.from(`u:${MOCK_KEY}`).toString('base64')],
    ['hex', Buffer.from(MOCK_KEY).toString('hex')],
    ['a URL', MOCK_KEY.replaceAll('-', '%2D')],
    ['its last half', MOCK_KEY.slice(-13)],
  ])('an error that quotes the key in another form: %s', async (_, quoted) => {
    script = [status(401, { message: `You sent ${quoted}`, type: 'invalid_request_error', code: quoted })];
    const { error, log } = await callMock(mock);
    const said = JSON.stringify({ log, data: error?.data, cause: String(error?.cause), stack: error?.stack });
    expect(said).toContain('[key]');
    for (let at = 4; at + 12 <= quoted.length - 4; at++) expect(said).not.toContain(quoted.slice(at, at + 12));
  });

  test('a reply that repeats the key has a placeholder for it; one that does not is as it was', async () => {
    script = [`You sent ${MOCK_KEY} to me, ${MOCK_KEY.slice(0, -1)}!`];
    const { reply } = await callMock(mock);
    expect(reply?.text).toBe(`You sent [key] to me, ${MOCK_KEY.slice(0, -1)}!`);
  });

  test('404 model: not retried, a configuration error', async () => {
    script = [
      status(404, {
        message: 'The model `gpt-9` does not exist',
        type: 'invalid_request_error',
        code: 'model_not_found',
      }),
    ];
    const before = mock.calls.length;
    const { error, log } = await callMock(mock, { ref: 'openai/gpt-9' });
    expect(error).toMatchObject({ code: 'model-not-found', retryable: false, userAction: true });
    expect(mock.calls.length - before).toBe(1);
    expect(log.at(-1)).toBe(
      `model-not-found: The provider does not know the model openai/gpt-9 (HTTP 404): check its name and the base URL ${mock.env.OPENAI_BASE_URL}: The model \`gpt-9\` does not exist.`,
    );
  });

  test('redirect: not followed', async () => {
    script = [{ fault: 'redirect', location: 'http://elsewhere.example/v1/chat/completions' }];
    const { error, log } = await callMock(mock);
    expect(error).toMatchObject({ code: 'model-failure', retryable: false, httpStatus: 307 });
    expect(log.at(-1)).toContain('a redirect (HTTP 307) to elsewhere.example, which is not followed for a POST');
  });
});
