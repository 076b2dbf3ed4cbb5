import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { callAt } from './deadline.ts';
import { createLedger } from './index.ts';
import { budgetError, estimate, leftOf, manualClock, never, now, open, used } from './testing.ts';

test('half a minute is kept for the last call, and a fifth of the time when that is less', () => {
  const clock = manualClock(0);
  const working = (maxDurationMs: number) => open({ maxDurationMs }, clock).ledger.deadline;
  expect([1_800_000, 150_000, 100_000, 2_000, 1].map(working)).toEqual([1_770_000, 120_000, 80_000, 1_600, 1]);
  expect(open({}, clock).ledger).toMatchObject({
    deadline: Number.POSITIVE_INFINITY,
    hardDeadline: Number.POSITIVE_INFINITY,
  });
});

test('after the work deadline only the last call may start, after the hard one nothing', async () => {
  const { ledger, clock } = open({ maxDurationMs: 2_000 });
  const inFlight = await ledger.account({ kind: 'root' }).reserve(estimate(1, 1), never);
  clock.advance(1_599);
  expect([ledger.workSignal.aborted, ledger.workSignal.aborted, leftOf(ledger).ms]).toEqual([false, false, 1]);
  clock.advance(1);
  expect([ledger.workSignal.aborted, ledger.workSignal.aborted, leftOf(ledger).ms]).toEqual([true, true, 0]);
  expect(budgetError(ledger.workSignal.reason).data).toMatchObject({ resource: 'time', limit: 2_000, spent: 1_600 });
  const late = budgetError(await now(ledger.account({ kind: 'root' }).reserve(estimate(1, 1), never)));
  expect(late.message).toBe(
    'The time is up: 1.6 of 2 s (maxDurationMs) have passed and 0.4 are kept for the last answer. Raise maxDurationMs to allow more.',
  );
  expect(budgetError(ledger.openSubCall()).resource).toBe('time');
  (await ledger.account({ kind: 'final' }).reserve(estimate(1, 1), ledger.hardSignal)).settle(used(1, 1));
  clock.advance(400);
  expect(ledger.hardSignal.aborted).toBe(true);
  expect(budgetError(await now(ledger.account({ kind: 'final' }).reserve(estimate(1, 1), never))).resource).toBe(
    'time',
  );
  inFlight.settle(used(1, 1));
  expect(ledger.usage().calls).toBe(2);
});

test('a child ends with its last call before its parent’s work deadline, or at its own', () => {
  const { ledger, clock } = open({ maxDurationMs: 1_000_000 }, manualClock(0));
  const child = ledger.child();
  const grandchild = child.child({ limits: { maxDurationMs: 10_000 } });
  expect([child.hardDeadline, child.deadline]).toEqual([970_000, 940_000]);
  expect([grandchild.hardDeadline, grandchild.deadline]).toEqual([10_000, 8_000]);
  clock.advance(969_000);
  const late = ledger.child({ limits: { maxDurationMs: 60_000 } });
  expect([late.hardDeadline, late.deadline]).toEqual([970_000, 969_800]);
  clock.advance(1_000);
  const tooLate = ledger.child();
  expect([tooLate.workSignal.aborted, tooLate.workSignal.aborted, tooLate.hardSignal.aborted]).toEqual([
    true,
    true,
    true,
  ]);
  expect(budgetError(tooLate.openSubCall()).data).toMatchObject({ limit: 1_000_000, spent: 970_000, kept: 30_000 });
});

test('waiting calls are refused when the time is up, a waiting last call later', async () => {
  const { ledger, clock } = open({ maxDurationMs: 2_000, maxTokens: 100 });
  const child = ledger.child();
  await ledger.account({ kind: 'root' }).reserve(estimate(80, 0), never);
  const ordinary = child.account({ kind: 'root' }).reserve(estimate(80, 0), never);
  const last = ledger.account({ kind: 'final' }).reserve(estimate(80, 0), never);
  clock.advance(1_600);
  expect(budgetError(await now(ordinary)).resource).toBe('time');
  expect(await now(last)).toBe('pending');
  clock.advance(400);
  expect(budgetError(await now(last)).resource).toBe('time');
});

test('time spent before a resume counts', () => {
  const clock = manualClock(1_000_000);
  const options = { limits: { maxDurationMs: 100_000 }, clock, onWarning: () => {} };
  const ledger = createLedger({ ...options, elapsedMs: 90_000 });
  expect([ledger.hardDeadline, ledger.deadline]).toEqual([1_010_000, 1_008_000]);
  expect(createLedger({ ...options, elapsedMs: 200_000 }).hardSignal.aborted).toBe(true);
});

test('a closed ledger leaves no timer behind', () => {
  const { ledger, clock } = open({ maxDurationMs: 2_000 });
  const child = ledger.child();
  expect(clock.pending).toBeGreaterThan(0);
  child.close();
  child.close();
  ledger.close();
  expect(clock.pending).toBe(0);
});

test('a timer that fires early is set again', () => {
  const waits: number[] = [];
  const callbacks: (() => void)[] = [];
  let time = 0;
  const clock = {
    now: () => time,
    schedule: (ms: number, callback: () => void) => {
      waits.push(ms);
      callbacks.push(callback);
      return () => {};
    },
  };
  let fired = 0;
  callAt(clock, 100, () => {
    fired += 1;
  });
  time = 99;
  callbacks[0]?.();
  expect([fired, waits]).toEqual([0, [100, 1]]);
  time = 100;
  callbacks[1]?.();
  expect(fired).toBe(1);
});

test('the machine’s clock works as well', async () => {
  const ledger = createLedger({ limits: { maxDurationMs: 25 }, clock: systemClock, onWarning: () => {} });
  const keepAlive = setTimeout(() => {}, 5_000);
  await new Promise((resolve) => ledger.hardSignal.addEventListener('abort', resolve));
  clearTimeout(keepAlive);
  expect([ledger.workSignal.aborted, ledger.workSignal.aborted]).toEqual([true, true]);
});
