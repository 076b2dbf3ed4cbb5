import { expect, test } from 'vitest';
import { createBusyPolling } from './busy-polling.ts';
import { QUICK_ROW } from './worker/protocol.ts';

/** An event loop whose rounds a test goes through one by one; each takes a tenth of a millisecond. */
function loopOf(processors: number) {
  let time = 0;
  let next: (() => void) | undefined;
  const loop = {
    processors,
    now: () => time,
    again: (callback: () => void) => {
      next = callback;
    },
  };
  return {
    loop,
    pass: (ms: number) => {
      time += ms;
    },
    /** Rounds until it may sleep, at most `most`. */
    rounds(most = 100): number {
      let count = 0;
      while (next !== undefined && count < most) {
        const callback = next;
        next = undefined;
        time += 0.1;
        count += 1;
        callback();
      }
      return count;
    },
  };
}

function warmUp(waitingChanged: (waiting: boolean) => void): void {
  for (let call = 0; call < QUICK_ROW; call += 1) {
    waitingChanged(false);
    waitingChanged(true);
  }
}

test('stays awake for a moment after a reply, once several requests came quickly', () => {
  const { loop, rounds } = loopOf(2);
  const waitingChanged = createBusyPolling(loop);
  waitingChanged(false);
  expect(rounds()).toBe(0);
  waitingChanged(true);
  warmUp(waitingChanged);
  waitingChanged(false);
  expect(rounds()).toBe(3);
});

test('sleeps as soon as the guest has asked', () => {
  const { loop, rounds } = loopOf(2);
  const waitingChanged = createBusyPolling(loop);
  warmUp(waitingChanged);
  waitingChanged(false);
  expect(rounds(1)).toBe(1);
  waitingChanged(true);
  expect(rounds()).toBe(1);
});

test('after a slow request several quick ones are needed again', () => {
  const { loop, rounds, pass } = loopOf(2);
  const waitingChanged = createBusyPolling(loop);
  warmUp(waitingChanged);
  waitingChanged(false);
  pass(1);
  expect(rounds()).toBe(1);
  waitingChanged(true);
  waitingChanged(false);
  expect(rounds()).toBe(0);
});

test('never on a single processor', () => {
  const { loop, rounds } = loopOf(1);
  const waitingChanged = createBusyPolling(loop);
  warmUp(waitingChanged);
  waitingChanged(false);
  expect(rounds()).toBe(0);
});
