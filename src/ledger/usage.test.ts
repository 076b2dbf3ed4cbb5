import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLedger } from './index.ts';
import { ceilingCost, exactCost, outputTokensFor, usd } from './money.ts';
import { estimate, leftOf, manualClock, modelOf, never, open, priced, unpriced, used } from './testing.ts';

const cheap = modelOf('test/cheap', { input: 0.0375, output: 0.15, cached: 0.01 });

test('usage is reported in total, per model and per depth', async () => {
  const { ledger } = open();
  const child = ledger.child();
  (await ledger.account({ kind: 'root' }).reserve(estimate(100, 100), never)).settle(used(100, 10));
  (await ledger.account({ kind: 'sub' }).reserve(estimate(100, 100, cheap), never)).settle({
    usage: { inputTokens: 1_000, outputTokens: 20, cachedTokens: 400, estimated: true },
    possiblyBilled: true,
  });
  (await child.account({ kind: 'root' }).reserve(estimate(100, 100), never)).settle(used(5, 0));
  const root = { inputTokens: 100, outputTokens: 10, costUsd: 0.00012, calls: 1, estimated: 0, possiblyBilled: 0 };
  const below = {
    inputTokens: 1_005,
    outputTokens: 20,
    cachedTokens: 400,
    costUsd: 0.0000345,
    calls: 2,
    estimated: 1,
    possiblyBilled: 1,
  };
  expect(ledger.usage()).toEqual({
    inputTokens: 1_105,
    outputTokens: 30,
    cachedTokens: 400,
    costUsd: 0.0001545,
    calls: 3,
    estimated: 1,
    possiblyBilled: 1,
    byModel: {
      'test/priced': {
        inputTokens: 105,
        outputTokens: 10,
        costUsd: 0.000125,
        calls: 2,
        estimated: 0,
        possiblyBilled: 0,
      },
      'test/cheap': { ...below, inputTokens: 1_000, costUsd: 0.0000295, calls: 1 },
    },
    byDepth: { 0: root, 1: below },
  });
  expect(child.usage()).toMatchObject({ inputTokens: 5, calls: 1, byDepth: { 1: { inputTokens: 5 } } });
});

test('an empty ledger has used nothing', () => {
  expect(open().ledger.usage()).toEqual({
    inputTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    calls: 0,
    estimated: 0,
    possiblyBilled: 0,
    byModel: {},
    byDepth: {},
  });
});

test('an unknown price makes the total unknown, never zero', async () => {
  const { ledger } = open();
  (await ledger.account({ kind: 'root' }).reserve(estimate(1, 1), never)).settle(used(1, 1));
  (await ledger.account({ kind: 'sub' }).reserve(estimate(1, 1, unpriced), never)).settle(used(1, 1));
  const { costUsd, byModel } = ledger.usage();
  expect([costUsd, byModel['test/priced']?.costUsd, byModel['test/unpriced']?.costUsd]).toEqual([null, 0.000003, null]);
});

test('a model may be called anything', async () => {
  const { ledger } = open();
  const odd = modelOf('__proto__', { input: 1, output: 1 });
  (await ledger.account({ kind: 'root' }).reserve(estimate(1, 1, odd), never)).settle(used(1, 1));
  expect(Object.keys(ledger.usage().byModel)).toEqual(['__proto__']);
});

test('calls paid before a resume are booked without asking, and count against the limits', () => {
  const { ledger, warnings } = open({ maxTokens: 100 });
  const child = ledger.child();
  child.book({ ...used(80, 40), model: priced, depth: 1, possiblyBilled: true });
  expect(ledger.usage()).toMatchObject({ inputTokens: 80, possiblyBilled: 1, byDepth: { 1: { calls: 1 } } });
  expect([leftOf(ledger).tokens, warnings.length]).toEqual([0, 2]);
});

test('warnings come once per tree, resource and share, of what is settled', async () => {
  const { ledger, warnings, clock } = open({
    maxTokens: 100,
    maxCostUsd: 0.0002,
    maxSubCalls: 10,
    maxDurationMs: 1_000,
  });
  const child = ledger.child({ limits: { maxTokens: 60 } });
  const spend = async (tokens: number) =>
    (await child.account({ kind: 'sub' }).reserve(estimate(tokens, 0), never)).settle(used(tokens, 0));
  await child.account({ kind: 'root' }).reserve(estimate(0, 0), never);
  await spend(59);
  expect(warnings).toEqual([]);
  await spend(1);
  expect(warnings).toEqual([{ resource: 'tokens', fraction: 0.6, spent: 60, limit: 100 }]);
  (await ledger.account({ kind: 'root' }).reserve(estimate(35, 0), never)).settle(used(36, 30));
  expect(warnings.slice(1)).toEqual([
    { resource: 'tokens', fraction: 0.9, spent: 126, limit: 100 },
    { resource: 'cost', fraction: 0.6, spent: 0.000156, limit: 0.0002 },
  ]);
  for (let call = 0; call < 8; call += 1) {
    const ticket = child.openSubCall();
    if ('sent' in ticket) ticket.sent();
  }
  clock.advance(599);
  expect(warnings.slice(3).map(({ resource, fraction, spent }) => [resource, fraction, spent])).toEqual([
    ['calls', 0.6, 6],
    ['calls', 0.9, 9],
  ]);
  clock.advance(1);
  clock.advance(400);
  expect(warnings.slice(5)).toEqual([
    { resource: 'time', fraction: 0.6, spent: 600, limit: 1_000 },
    { resource: 'time', fraction: 0.9, spent: 900, limit: 1_000 },
  ]);
});

test('a warning that throws leaves the books in order', async () => {
  const ledger = createLedger({
    limits: { maxTokens: 100, maxSubCalls: 1 },
    clock: manualClock(),
    onWarning: () => {
      throw new Error('no listener');
    },
  });
  const account = ledger.account({ kind: 'sub' });
  await expect(account.reserve(estimate(Number.NaN, 1), never)).rejects.toThrow(TypeError);
  expect(leftOf(ledger).calls).toBe(1);
  const reservation = await account.reserve(estimate(70, 0), never);
  const waits = ledger.account({ kind: 'root' }).reserve(estimate(40, 0), never);
  expect(() => reservation.settle(used(60, 0))).toThrow('no listener');
  (await waits).release();
  expect([ledger.subCalls, ledger.usage().inputTokens, leftOf(ledger).tokens]).toEqual([1, 60, 40]);
});

const price = fc.record({
  input: fc.double({ min: 0, max: 600, noNaN: true }),
  output: fc.double({ min: 0, max: 600, noNaN: true }),
  cached: fc.double({ min: 0, max: 600, noNaN: true }),
});
const tokens = fc.nat({ max: 5_000_000 });

test('a call never costs more than its ceiling when it uses no more than that', () => {
  fc.assert(
    fc.property(
      price,
      tokens,
      tokens,
      fc.tuple(...Array.from({ length: 3 }, () => fc.double({ min: 0, max: 1, noNaN: true }))),
      (of, input, output, [a = 0, b = 0, c = 0]) => {
        const inputTokens = Math.floor(input * a);
        const usage = {
          inputTokens,
          outputTokens: Math.floor(output * b),
          cachedTokens: Math.floor(inputTokens * c),
          estimated: false,
        };
        const cost = exactCost(of, usage);
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeLessThanOrEqual(ceilingCost(of, { input, output }));
      },
    ),
  );
});

test('the output that can be paid for is the most that can', () => {
  fc.assert(
    fc.property(price, tokens, fc.nat({ max: 2_000_000_000 }), (of, input, nano) => {
      const output = outputTokensFor(of, input, nano);
      if (output === Number.POSITIVE_INFINITY) return;
      if (output > 0) expect(ceilingCost(of, { input, output })).toBeLessThanOrEqual(nano);
      expect(ceilingCost(of, { input, output: output + 1 })).toBeGreaterThan(nano);
    }),
  );
});

test('known prices come out to the cent', () => {
  expect(
    usd(exactCost({ input: 1.25, output: 10 }, { inputTokens: 1_000_000, outputTokens: 100_000, estimated: false })),
  ).toBe(2.25);
  expect(usd(exactCost({ input: 0.1, output: 0 }, { inputTokens: 3, outputTokens: 0, estimated: false }))).toBe(
    0.0000003,
  );
  const all = { inputTokens: 10, outputTokens: 0, cachedTokens: 50, estimated: false };
  expect(usd(exactCost({ input: 1, output: 1, cached: 0.5 }, all))).toBe(0.000005);
});

test.each([
  [
    'a price of its own',
    { input: 3, output: 15, cached: 0.3, cacheWrite: 3.75 },
    { cacheWriteTokens: 1_000_000 },
    3.75,
  ],
  ['no price of its own: that of input', { input: 3, output: 15 }, { cacheWriteTokens: 1_000_000 }, 3],
  [
    'beside tokens that are read from the cache',
    { input: 3, output: 15, cached: 0.3, cacheWrite: 3.75 },
    { cachedTokens: 400_000, cacheWriteTokens: 500_000 },
    0.4 * 0.3 + 0.5 * 3.75 + 0.1 * 3,
  ],
  ['more of them than input', { input: 3, output: 15, cacheWrite: 6 }, { cacheWriteTokens: 9_000_000 }, 6],
])('tokens written to the cache of a provider: %s', (_, price, more, dollars) => {
  const usage = { inputTokens: 1_000_000, outputTokens: 0, estimated: false, ...more };
  expect(exactCost(price, usage)).toBe(Math.round(dollars * 1e9));
  expect(ceilingCost(price, { input: 1_000_000, output: 0 })).toBeGreaterThanOrEqual(exactCost(price, usage));
});
