import { describe, expect, test } from 'vitest';
import { fakeClock } from '../../test.ts';
import { ModelError, type ModelFault } from '../model-error.ts';
import type { Model } from '../port.ts';
import type { CallGate, GateSlot } from './call-gate.ts';
import { createRateControl } from './rate-control.ts';
import { simulate } from './simulation.testing.ts';

function modelOf(id: string, remote = false): Model {
  return {
    id,
    provider: 'test',
    price: undefined,
    contextTokens: undefined,
    maxOutputTokens: undefined,
    remote,
    attempt: () => Promise.reject(new Error('unused')),
  };
}
const MODEL = modelOf('test/model');
const { signal } = new AbortController();
const enter = (lane: CallGate, model: Model = MODEL, deadline = Number.POSITIVE_INFINITY): Promise<GateSlot> =>
  lane.enter(model, { signal, deadline, tokens: 100 });
const fault = (kind: ModelFault, more: { retryAfterMs?: number; data?: Record<string, unknown> } = {}): ModelError =>
  new ModelError({ fault: kind, message: kind, ...more });

describe('a provider of 50 requests per second', () => {
  test.each([
    { burst: 50, latencyMs: 20 },
    { burst: 50, latencyMs: 200 },
    { burst: 50, latencyMs: 500 },
    { burst: 100, latencyMs: 200, retryAfter: 'milliseconds' as const },
    { burst: 50, latencyMs: 200, retryAfter: 'seconds' as const },
    { burst: 50, latencyMs: 200, headers: true },
    { burst: 100, latencyMs: 20, headers: true, retryAfter: 'seconds' as const },
    { burst: 5, latencyMs: 200, headers: true },
  ])('%o: at least 0.95 of the allowed rate, at most one percent refused', async (provider) => {
    for (const seed of [1, 2, 3]) {
      const { share, accepted, refused } = await simulate({ perSecond: 50, ...provider }, 30, seed);
      expect(share).toBeGreaterThanOrEqual(0.95);
      expect(refused / (accepted + refused)).toBeLessThanOrEqual(0.01);
    }
  });

  test('a bucket of five without a word about it: at least 0.8, at most 1 % refused', async () => {
    const { share, accepted, refused } = await simulate({ perSecond: 50, burst: 5, latencyMs: 200 }, 30);
    expect(share).toBeGreaterThanOrEqual(0.8);
    expect(refused / (accepted + refused)).toBeLessThanOrEqual(0.01);
  });
});

describe('a refusal that is heard 40 ms late, as from a worker elsewhere', () => {
  const provider = { perSecond: 50, burst: 50, latencyMs: 100, heardMs: 40, atOnce: 128 };

  test.each([
    { sendsPerMs: 0.25, least: 0, most: 0.02 },
    { sendsPerMs: 2, least: 0.02, most: 1 },
  ])('with $sendsPerMs sends a millisecond at first: a share of $least to $most is refused', async (bounds) => {
    const { least, most, sendsPerMs } = bounds;
    for (const seed of [1, 2, 3]) {
      const { share, accepted, refused } = await simulate({ ...provider, sendsPerMs }, 25, seed);
      expect(share).toBeGreaterThanOrEqual(0.95);
      expect(refused / (accepted + refused)).toBeLessThanOrEqual(most);
      expect(refused / (accepted + refused)).toBeGreaterThan(least);
    }
  });
});

describe('a bucket of one, which refuses whatever comes early', () => {
  test.each([
    { perSecond: 10, latencyMs: 500, least: 0.85 },
    { perSecond: 20, latencyMs: 200, least: 0.85 },
    { perSecond: 50, latencyMs: 500, least: 0.65 },
  ])('$perSecond per second: at least $least of the allowed rate', async ({ least, ...provider }) => {
    for (const seed of [1, 2, 3]) {
      const { share } = await simulate({ burst: 1, retryAfter: 'milliseconds', ...provider }, 30, seed);
      expect(share).toBeGreaterThanOrEqual(least);
    }
  });
});

describe('turns', () => {
  test('no more in flight than the tree allows, over all its models', async () => {
    const tree = createRateControl({ clock: fakeClock() }).openTree({ maxConcurrentCalls: 2 });
    const first = await enter(tree.lane(), modelOf('a'));
    await enter(tree.lane(), modelOf('b'));
    let third: GateSlot | undefined;
    const waiting = enter(tree.lane(), modelOf('c')).then((slot) => {
      third = slot;
    });
    await Promise.resolve();
    expect(tree.inFlight).toBe(2);
    expect(third).toBeUndefined();
    first.leave(undefined);
    await waiting;
    expect(tree.inFlight).toBe(2);
  });

  test('lanes take turns, first come first served within one', async () => {
    const tree = createRateControl({ clock: fakeClock() }).openTree({ maxConcurrentCalls: 1 });
    const [big, small] = [tree.lane(), tree.lane()];
    const held = await enter(big);
    const order: string[] = [];
    const wait = (lane: CallGate, name: string): Promise<void> =>
      enter(lane).then((slot) => {
        order.push(name);
        slot.leave(undefined);
      });
    const all = [
      wait(big, 'big 1'),
      wait(big, 'big 2'),
      wait(big, 'big 3'),
      wait(small, 'small 1'),
      wait(small, 'small 2'),
    ];
    held.leave(undefined);
    await Promise.all(all);
    expect(order).toEqual(['big 1', 'small 1', 'big 2', 'small 2', 'big 3']);
  });

  test('a wait ends with its signal and with its deadline', async () => {
    const clock = fakeClock();
    const lane = createRateControl({ clock }).openTree({ maxConcurrentCalls: 1 }).lane();
    await enter(lane);
    const control = new AbortController();
    const cancelled = lane.enter(MODEL, { signal: control.signal, deadline: Number.POSITIVE_INFINITY, tokens: 1 });
    control.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    const late = enter(lane, MODEL, clock.now() + 1_000);
    late.catch(() => {});
    await clock.advance(1_000);
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('complaints', () => {
  test('one cool-down for all: after a Retry-After no call is sent until it is over', async () => {
    const clock = fakeClock();
    const control = createRateControl({ clock, random: () => 0.5 });
    const slot = await enter(control.openTree({ maxConcurrentCalls: 8 }).lane());
    slot.leave(fault('overloaded', { retryAfterMs: 5_000 }));
    const others = [1, 2].map(() => enter(control.openTree({ maxConcurrentCalls: 8 }).lane()));
    let sent = 0;
    for (const other of others) void other.then(() => sent++);
    await clock.advance(4_999);
    expect(sent).toBe(0);
    await clock.advance(300);
    expect(sent).toBe(1);
  });

  test('headers that report a limit for a day: one call a minute finds out', async () => {
    const clock = fakeClock();
    const lane = createRateControl({ clock }).openTree({ maxConcurrentCalls: 8 }).lane();
    const slot = await enter(lane);
    slot.observe({
      'x-ratelimit-limit-requests': '9',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '24h',
    });
    slot.leave(undefined);
    let sent = 0;
    for (let call = 0; call < 3; call++) void enter(lane).then(() => sent++);
    await clock.advance(59_000);
    expect(sent).toBe(0);
    await clock.advance(2_000);
    expect(sent).toBe(1);
    await clock.advance(60_000);
    expect(sent).toBe(2);
  });

  test('overload halves what may be in flight; it comes back as calls go well', async () => {
    const clock = fakeClock();
    const tree = createRateControl({ clock, random: () => 0 }).openTree({ maxConcurrentCalls: 64 });
    const lane = tree.lane();
    const slots = await Promise.all(Array.from({ length: 16 }, () => enter(lane)));
    for (const slot of slots) slot.leave(fault('overloaded'));
    let open: GateSlot[] = [];
    for (let index = 0; index < 64; index++) void enter(lane).then((slot) => open.push(slot));
    await clock.advance(10);
    expect(open).toHaveLength(8);
    for (let round = 0; round < 12; round++) {
      const done = open;
      open = [];
      for (const slot of done) slot.leave(undefined);
      for (const _ of done) void enter(lane).then((slot) => open.push(slot));
      await clock.advance(1);
    }
    expect(tree.inFlight).toBeGreaterThan(16);
  });

  test.each(['quota', 'key', 'model'] as const)(
    '%s: the gate closes for the trees there are; a new tree tries again',
    async (kind) => {
      const control = createRateControl({ clock: fakeClock() });
      const old = control.openTree({ maxConcurrentCalls: 1 }).lane();
      const slot = await enter(old);
      const waiting = enter(old);
      slot.leave(fault(kind));
      await expect(waiting).rejects.toMatchObject({ fault: kind, possiblyBilled: false });
      await expect(enter(old)).rejects.toMatchObject({ fault: kind });
      await expect(enter(old, modelOf('another'))).resolves.toBeDefined();
      const retried = await enter(control.openTree({ maxConcurrentCalls: 1 }).lane());
      retried.leave(undefined);
      const again = control.openTree({ maxConcurrentCalls: 1 }).lane();
      await expect(enter(again)).resolves.toBeDefined();
    },
  );

  test('the same name at two servers: what one refuses says nothing of the other', async () => {
    const control = createRateControl({ clock: fakeClock() });
    const tree = control.openTree({ maxConcurrentCalls: 2 });
    const [here, there] = ['http://here/v1', 'http://there/v1'].map((endpoint) => ({ ...modelOf('m'), endpoint }));
    (await enter(tree.lane(), here)).leave(fault('key'));
    await expect(enter(tree.lane(), here)).rejects.toMatchObject({ fault: 'key' });
    await expect(enter(tree.lane(), there)).resolves.toBeDefined();
  });

  test('an unreachable host: one probe at a time, refused once it stays down, open again after an answer', async () => {
    const clock = fakeClock();
    const control = createRateControl({ clock, random: () => 0.5 });
    const tree = control.openTree({ maxConcurrentCalls: 64 });
    const down = fault('unreachable', { data: { host: 'api.example' } });
    for (let index = 0; index < 3; index++) (await enter(tree.lane())).leave(down);
    const granted: GateSlot[] = [];
    const refused: unknown[] = [];
    for (let index = 0; index < 20; index++) {
      void enter(tree.lane()).then(
        (slot) => granted.push(slot),
        (error: unknown) => refused.push(error),
      );
    }
    await clock.advance(1_000);
    expect(granted).toHaveLength(1);
    granted.pop()?.leave(down);
    for (let round = 0; round < 20 && refused.length === 0; round++) {
      await clock.advance(5_000);
      granted.pop()?.leave(down);
    }
    expect(refused[0]).toMatchObject({ fault: 'unreachable' });
    await clock.advance(5_000);
    (await enter(tree.lane())).leave(undefined);
    await expect(Promise.all([1, 2, 3].map(() => enter(tree.lane())))).resolves.toHaveLength(3);
  });
});

test('a remote model starts with ten calls, and has a hundred in flight within a tenth of a second', async () => {
  const clock = fakeClock();
  const tree = createRateControl({ clock }).openTree({ maxConcurrentCalls: 100 });
  for (let index = 0; index < 100; index++) void enter(tree.lane(), modelOf('remote', true));
  await clock.advance(5);
  expect(tree.inFlight).toBe(10);
  await clock.advance(95);
  expect(tree.inFlight).toBe(100);
});
