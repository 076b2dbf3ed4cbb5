import type { Clock } from '../clock.ts';

/** A clock that only moves when the test advances it. */
export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms` milliseconds and runs what became due, in order of time. Between two callbacks, and at the
   * end, everything that can continue continues, so that the next callback sees the timers of this one.
   */
  advance(ms: number): Promise<void>;
  /** Callbacks that wait. */
  readonly pending: number;
  /** Milliseconds until the next callback is due; undefined when none waits. */
  readonly nextInMs: number | undefined;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock for tests: time moves only by `advance`.
 *
 * @param start milliseconds since the Unix epoch; default 2025-01-01T00:00:00Z
 *
 * @example
 * ```ts
 * const clock = fakeClock();
 * clock.schedule(1_000, () => console.log('one second later'));
 * await clock.advance(1_000);
 * ```
 */
export function fakeClock(start: number = Date.UTC(2025, 0, 1)): FakeClock {
  let now = start;
  let order = 0;
  const entries = new Set<Entry>();

  const nextDue = (): Entry | undefined => {
    let due: Entry | undefined;
    for (const entry of entries) {
      if (due === undefined || entry.at < due.at || (entry.at === due.at && entry.order < due.order)) due = entry;
    }
    return due;
  };

  return {
    now: () => now,
    schedule(ms, callback) {
      const entry: Entry = { at: now + Math.max(0, ms), order: order++, callback };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let due = nextDue(); due !== undefined && due.at <= until; due = nextDue()) {
        now = Math.max(now, due.at);
        entries.delete(due);
        due.callback();
        await settle();
      }
      now = until;
      await settle();
    },
    get pending() {
      return entries.size;
    },
    get nextInMs() {
      const due = nextDue();
      return due === undefined ? undefined : Math.max(0, due.at - now);
    },
  };
}

/** Lets promises and immediate callbacks run out: a few turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
