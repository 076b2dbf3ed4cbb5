import { availableParallelism } from 'node:os';

/**
 * REPLs that open at once, per core. Opening is work for the processor: with more, all of them are ready later, time-outs
 * come near, and connections that wait to be accepted fill the kernel's queue.
 */
const OPENING_PER_CORE = 4;

/** Lets a few REPLs open at once, the others in turn. */
export type OpeningGate = <T>(open: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** A gate for `most` at once. A caller that waits is rejected with the signal's reason when the signal fires. */
export function createOpeningGate(most: number = OPENING_PER_CORE * availableParallelism()): OpeningGate {
  let running = 0;
  const waiting = new Set<() => void>();

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (running < most) {
      running += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const onAbort = (): void => {
      waiting.delete(turn.resolve);
      turn.reject(signal?.reason);
    };
    waiting.add(turn.resolve);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
  /** Who leaves passes its turn on. */
  function leave(): void {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }
  return async (open, signal) => {
    await enter(signal);
    try {
      return await open();
    } finally {
      leave();
    }
  };
}
