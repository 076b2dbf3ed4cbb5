import { expect, test } from 'vitest';
import type { Clock } from '../clock.ts';
import { createLedger } from '../ledger/index.ts';
import { StopControl } from './stop-control.ts';

test('a run without time for a last call is out of time, whichever of its two timers is the first', () => {
  let now = 0;
  const due: (() => void)[] = [];
  const clock: Clock = {
    now: () => now,
    schedule: (_ms, callback) => {
      due.push(callback);
      return () => {};
    },
  };
  const ledger = createLedger({ limits: { maxDurationMs: 1 }, clock, onWarning: () => {} });
  const stop = new StopControl(ledger);
  const [working, hard] = due;
  working?.(); // a little early, as timers are: it keeps waiting
  now = 1;
  hard?.();
  expect(stop.hardSignal.aborted).toBe(true);
  expect(stop.limit).toMatchObject({ stop: 'time-limit', reason: expect.stringContaining('maxDurationMs') });
});
