import { expect, test } from 'vitest';
import { budgetError, estimate, leftOf, never, now, open, used } from './testing.ts';

test('the amount kept for the last call serves no other call', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  ledger.holdFinal(estimate(200, 100));
  const child = ledger.child();
  for (const account of [
    ledger.account({ kind: 'root' }),
    child.account({ kind: 'root' }),
    child.account({ kind: 'final' }),
  ]) {
    const error = budgetError(await now(account.reserve(estimate(701, 0), never)));
    expect(error.data).toMatchObject({ left: 700, kept: 300 });
    expect(error.message).toContain('300 are kept for the last answer');
  }
  expect(leftOf(ledger).tokens).toBe(700);
  (await child.account({ kind: 'root' }).reserve(estimate(700, 0), never)).settle(used(700, 0));
  (await ledger.account({ kind: 'final' }).reserve(estimate(200, 100), never)).settle(used(200, 100));
  expect(ledger.usage()).toMatchObject({ inputTokens: 900, outputTokens: 100, costUsd: 0.0011 });
});

test('what is kept follows the history', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  ledger.holdFinal(estimate(100, 100));
  ledger.holdFinal(estimate(300, 100));
  expect(leftOf(ledger).tokens).toBe(600);
  ledger.holdFinal(estimate(50, 100));
  expect(leftOf(ledger).tokens).toBe(850);
});

test('keeping more refuses who waited for that room, keeping less serves them', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  await ledger.account({ kind: 'root' }).reserve(estimate(500, 0), never);
  ledger.holdFinal(estimate(300, 0));
  const served = ledger.account({ kind: 'root' }).reserve(estimate(400, 0), never);
  expect(await now(served)).toBe('pending');
  ledger.holdFinal(estimate(100, 0));
  (await served).release();
  const refused = ledger.account({ kind: 'root' }).reserve(estimate(600, 0), never);
  ledger.holdFinal(estimate(450, 0));
  budgetError(await now(refused));
});

test('the last call does not stand behind those that wait', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  ledger.holdFinal(estimate(100, 0));
  await ledger.account({ kind: 'root' }).reserve(estimate(800, 0), never);
  const waits = ledger.account({ kind: 'root' }).reserve(estimate(500, 0), never);
  (await ledger.account({ kind: 'final' }).reserve(estimate(100, 0), never)).settle(used(100, 0));
  expect(await now(waits)).toBe('pending');
});

test('a last call that fails without a cost finds its reserve again', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  ledger.holdFinal(estimate(100, 100));
  await ledger.account({ kind: 'root' }).reserve(estimate(800, 0), never);
  const account = ledger.account({ kind: 'final' });
  (await account.reserve(estimate(100, 100), never)).settle(used(0, 0));
  budgetError(await now(ledger.child().account({ kind: 'sub' }).reserve(estimate(801, 0), never)));
  (await account.reserve(estimate(100, 100), never)).settle(used(60, 20));
  expect(ledger.budget('tokens')).toMatchObject({ spent: 80, kept: 120, reserved: 800, left: 0 });
});

test('a last call larger than what is kept may use the rest as well, and is refused beyond that', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  ledger.holdFinal(estimate(100, 100));
  const error = budgetError(await now(ledger.account({ kind: 'final' }).reserve(estimate(1_001, 0), never)));
  expect(error.data).toMatchObject({ left: 1_000, needed: 1_001 });
  (await ledger.account({ kind: 'final' }).reserve(estimate(1_000, 0), never)).settle(used(1_000, 0));
});

test('a child keeps room within its own limits, and its last call leaves its parent’s reserve alone', async () => {
  const { ledger } = open({ maxTokens: 1_000 });
  ledger.holdFinal(estimate(100, 0));
  const child = ledger.child({ limits: { maxTokens: 500 } });
  child.holdFinal(estimate(200, 0));
  expect([leftOf(ledger).tokens, leftOf(child).tokens]).toEqual([900, 300]);
  (await child.account({ kind: 'root' }).reserve(estimate(300, 0), never)).settle(used(300, 0));
  (await ledger.account({ kind: 'sub' }).reserve(estimate(450, 0), never)).settle(used(450, 0));
  const error = budgetError(await now(child.account({ kind: 'final' }).reserve(estimate(200, 0), never)));
  expect(error.data).toMatchObject({ limit: 1_000, left: 150 });
  (await child.account({ kind: 'final' }).reserve(estimate(150, 0), never)).settle(used(150, 0));
  (await ledger.account({ kind: 'final' }).reserve(estimate(100, 0), never)).settle(used(100, 0));
  expect(leftOf(ledger).tokens).toBe(0);
});
