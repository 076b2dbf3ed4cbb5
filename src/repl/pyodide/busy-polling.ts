import { availableParallelism } from 'node:os';
import { QUICK_MS, QUICK_ROW } from './worker/protocol.ts';

/** How time passes, and how the event loop is kept awake for one more round. */
export interface EventLoop {
  /** Milliseconds. */
  readonly now: () => number;
  readonly again: (next: () => void) => void;
  /** Processors: on a single one a host that stays awake keeps the guest from running. */
  readonly processors: number;
}

const THIS: EventLoop = {
  now: () => performance.now(),
  again: (next) => void setImmediate(next),
  processors: availableParallelism(),
};

/**
 * Keeps this process's event loop from falling asleep for a moment after a reply, as long as the guest asks quickly: to
 * sleep and be woken takes about as long as what a cell does between two calls. The worker does the same on its side
 * (worker/wire.ts); both together halve the time of a call that the host answers by itself.
 *
 * @returns a function to call with true when one guest waits for replies, and with false when it has all of them
 */
export function createBusyPolling({ now, again, processors }: EventLoop = THIS): (waiting: boolean) => void {
  let quick = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let mayAsk = false;
  const isEarly = (): boolean => now() - answeredAt < QUICK_MS;
  const stayAwake = (): void => {
    if (mayAsk && isEarly()) again(stayAwake);
  };
  return (waiting) => {
    mayAsk = !waiting;
    if (waiting) quick = isEarly() ? quick + 1 : 0;
    else {
      answeredAt = now();
      if (quick >= QUICK_ROW && processors > 1) again(stayAwake);
    }
  };
}
