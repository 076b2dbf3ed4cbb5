import type { Clock } from '../../clock.ts';

/** The time of a cell that counts: it stops while the guest waits for the host. */
export interface CellClock {
  /** The guest waits for the host. */
  pause(): void;
  /** The guest runs again. */
  resume(): void;
  /** Milliseconds that counted so far. */
  used(): number;
  /** Removes the deadline. */
  stop(): void;
}

/**
 * A clock that runs and calls `onDeadline` once when `limitMs` have been used. `pause` and `resume` only take times,
 * so that they cost nothing on the way of a sub-call; the one timer looks again when it was early.
 */
export function startCellClock(clock: Clock, limitMs: number, onDeadline: () => void): CellClock {
  let counted = 0;
  let since: number | undefined = clock.now();
  let cancel: (() => void) | undefined;
  let stopped = false;

  const used = (): number => counted + (since === undefined ? 0 : clock.now() - since);
  function check(): void {
    cancel = undefined;
    if (stopped || since === undefined) return;
    if (used() >= limitMs) {
      stopped = true;
      onDeadline();
    } else {
      arm();
    }
  }
  function arm(): void {
    if (Number.isFinite(limitMs)) cancel = clock.schedule(Math.max(1, limitMs - used()), check);
  }
  arm();

  return {
    pause() {
      if (since === undefined) return;
      counted += clock.now() - since;
      since = undefined;
    },
    resume() {
      if (since !== undefined) return;
      since = clock.now();
      if (cancel === undefined && !stopped) arm();
    },
    used,
    stop() {
      stopped = true;
      cancel?.();
      cancel = undefined;
    },
  };
}
