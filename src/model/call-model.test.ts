import { describe, expect, test } from 'vitest';
import { defined } from '../defined.ts';
import { BudgetError, createLedger, type Ledger } from '../ledger/index.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { type FakeClock, fakeClock, type ScriptedReply, scriptedModel } from '../test.ts';
import type { CallAccount } from './account.ts';
import type { AttemptRecord, ModelCall } from './call.ts';
import { callModel } from './call-model.ts';
import { ModelError } from './model-error.ts';
import { createRateControl } from './rate/rate-control.ts';
import { resolveModel } from './resolve-model.ts';

interface Setup {
  readonly call: ModelCall;
  readonly ledger: Ledger;
  readonly clock: FakeClock;
  readonly attempts: AttemptRecord[];
  readonly model: ReturnType<typeof scriptedModel>;
}

function setUp(
  replies: Parameters<typeof scriptedModel>[0],
  overrides: Partial<ModelCall> = {},
  limits: Partial<Limits> = {},
): Setup {
  const clock = fakeClock();
  const model = scriptedModel(replies);
  const ledger = createLedger({ limits: { ...DEFAULT_LIMITS, ...limits }, clock, onWarning: () => {} });
  const attempts: AttemptRecord[] = [];
  const call: ModelCall = {
    model: resolveModel(model, { clock }),
    request: { messages: [{ role: 'user', content: 'What is six times seven?' }], maxOutputTokens: 100 },
    account: ledger.account({ kind: 'sub' }),
    gate: createRateControl({ clock, random: () => 0.5 })
      .openTree({ maxConcurrentCalls: 4 })
      .lane(),
    clock,
    deadline: Number.POSITIVE_INFINITY,
    limits: DEFAULT_LIMITS,
    signal: new AbortController().signal,
    random: () => 0.5,
    onAttempt: (attempt) => void attempts.push(attempt),
    ...overrides,
  };
  return { call, ledger, clock, attempts, model };
}

const busy = (): ModelError => new ModelError({ fault: 'server', message: 'busy' });
const slow = (retryAfterMs?: number): ModelError =>
  new ModelError({ fault: 'rate-limit', message: 'slow down', ...defined({ retryAfterMs }) });

/** Runs the clock until the call is over. */
async function finish<T>(clock: FakeClock, call: Promise<T>): Promise<T> {
  let over = false;
  call.then(
    () => (over = true),
    () => (over = true),
  );
  for (let step = 0; step < 200 && !over; step++) await clock.advance(clock.nextInMs ?? 0);
  return call;
}

test('a good reply: settled with the provider’s counts, one record', async () => {
  const { call, ledger, attempts } = setUp([{ text: '42', usage: { inputTokens: 11, outputTokens: 2 } }]);
  await expect(callModel(call)).resolves.toMatchObject({ text: '42', finishReason: 'stop' });
  expect(ledger.usage()).toMatchObject({ inputTokens: 11, outputTokens: 2, calls: 1 });
  expect(attempts).toMatchObject([
    { attempt: 1, outcome: { ok: true }, usage: { inputTokens: 11 }, retryInMs: undefined },
  ]);
});

test('backoff doubles from half a second, with full jitter', async () => {
  const { call, clock, attempts } = setUp(() => busy());
  await expect(finish(clock, callModel(call))).rejects.toMatchObject({
    code: 'model-failure',
    message: 'busy Gave up after 5 attempts.',
    data: { attempts: 5 },
  });
  // A random number of 0.5: the middle between a tenth of a second and the ceiling.
  expect(attempts.map(({ retryInMs }) => retryInMs)).toEqual([300, 550, 1_050, 2_050, undefined]);
});

test('Retry-After is waited for, though longer than callTimeoutMs', async () => {
  const { call, clock } = setUp([slow(400_000), '42']);
  const begin = clock.now();
  await expect(finish(clock, callModel(call))).resolves.toMatchObject({ text: '42' });
  expect(clock.now() - begin).toBeGreaterThanOrEqual(400_000);
});

test('an error that would be the same again is not retried', async () => {
  const { call, attempts } = setUp([new ModelError({ fault: 'bad-request', message: 'no such parameter' }), 'unused']);
  await expect(callModel(call)).rejects.toMatchObject({ code: 'bad-request' });
  expect(attempts).toHaveLength(1);
});

test('an unknown error is not retried', async () => {
  const { call } = setUp([new Error('boom'), 'unused']);
  await expect(callModel(call)).rejects.toMatchObject({
    code: 'model-failure',
    message: expect.stringContaining('boom'),
  });
});

describe('the deadline', () => {
  test('a backoff that would pass it is not begun', async () => {
    const { call, clock, attempts } = setUp(() => slow(60_000));
    await expect(finish(clock, callModel({ ...call, deadline: clock.now() + 30_000 }))).rejects.toMatchObject({
      code: 'rate-limited',
      retryAfterMs: 60_000,
    });
    expect(attempts).toHaveLength(1);
  });

  test.each([
    { deadlineMs: 5_000, callTimeoutMs: 300_000, message: /the time of its run is up/ },
    { deadlineMs: 60_000, callTimeoutMs: 2_000, message: /longer than callTimeoutMs = 2 s/ },
  ])('ends an attempt in flight: %o', async ({ deadlineMs, callTimeoutMs, message }) => {
    const { call, clock, ledger } = setUp(() => new Promise<ScriptedReply>(() => {}));
    const limits = { callTimeoutMs, callIdleTimeoutMs: 1_000_000 };
    const over = callModel({ ...call, limits, deadline: clock.now() + deadlineMs });
    await expect(finish(clock, over)).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(message),
    });
    expect(ledger.usage()).toMatchObject({ calls: 1, estimated: 1, possiblyBilled: 1 });
  });
});

describe('cancelling', () => {
  test('before anything is sent', async () => {
    const { call, model, ledger } = setUp(['unused']);
    await expect(callModel({ ...call, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(model.requests).toHaveLength(0);
    expect(ledger.usage().calls).toBe(0);
  });

  test('in flight: rejects at once, the usage is estimated, nothing stays reserved', async () => {
    const control = new AbortController();
    const { call, ledger } = setUp(() => {
      queueMicrotask(() => control.abort());
      return new Promise<ScriptedReply>(() => {});
    });
    await expect(callModel({ ...call, signal: control.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(ledger.usage()).toMatchObject({ calls: 1, estimated: 1 });
    expect(ledger.budget('tokens').reserved).toBe(0);
  });

  test('in a backoff: rejects at once', async () => {
    const control = new AbortController();
    const { call, clock } = setUp(() => busy());
    const over = callModel({ ...call, signal: control.signal });
    over.catch(() => {});
    await clock.advance(50);
    control.abort();
    await expect(over).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('with an error of Fathom’s own: that one comes out', async () => {
    const control = new AbortController();
    const mine = new ModelError({ fault: 'quota', message: 'mine' });
    const { call } = setUp(() => {
      queueMicrotask(() => control.abort(mine));
      return new Promise<ScriptedReply>(() => {});
    });
    await expect(callModel({ ...call, signal: control.signal })).rejects.toMatchObject({ message: 'mine' });
  });
});

test('a call that does not fit the budget is refused before it is sent', async () => {
  const { call, model } = setUp(['unused'], {}, { maxTokens: 50 });
  await expect(callModel(call)).rejects.toBeInstanceOf(BudgetError);
  expect(model.requests).toHaveLength(0);
});

test('every attempt reserves again, and holds nothing while it waits', async () => {
  const { call, clock, ledger } = setUp([busy(), '42']);
  const over = callModel(call);
  await clock.advance(50);
  expect(ledger.budget('tokens').reserved).toBe(0);
  await expect(finish(clock, over)).resolves.toMatchObject({ text: '42' });
  expect(ledger.budget('tokens').reserved).toBe(0);
});

test('an attempt is recorded before it is sent; when it cannot, nothing is sent or kept', async () => {
  const sent: number[] = [];
  const recording = (account: CallAccount, record: () => Promise<void>): CallAccount => ({
    reserve: async (estimate, signal) => {
      const reservation = await account.reserve(estimate, signal);
      return {
        settle: (settlement) => reservation.settle(settlement),
        release: () => reservation.release(),
        sending: record,
      };
    },
  });
  const good = setUp([busy(), '42']);
  const account = recording(good.call.account, async () => void sent.push(good.model.requests.length));
  await finish(good.clock, callModel({ ...good.call, account }));
  expect(sent).toEqual([0, 1]);

  const bad = setUp(['unused']);
  const failing = recording(bad.call.account, () => Promise.reject(new Error('disk full')));
  await expect(callModel({ ...bad.call, account: failing })).rejects.toThrow('disk full');
  expect(bad.model.requests).toHaveLength(0);
  expect(bad.ledger.usage().calls).toBe(0);
  expect(bad.ledger.budget('tokens').reserved).toBe(0);
});

test('the input estimate follows the provider’s counts', async () => {
  const { call, attempts } = setUp(() => ({ text: 'ok', usage: { inputTokens: 2_000, outputTokens: 1 } }));
  const request = { messages: [{ role: 'user' as const, content: 'x'.repeat(4_000) }], maxOutputTokens: 100 };
  await callModel({ ...call, request });
  await callModel({ ...call, request });
  expect(attempts[0]?.estimatedInputTokens).toBeLessThan(1_100);
  expect(attempts[1]?.estimatedInputTokens).toBeGreaterThan(1_900);
});
