import type { Clock } from '../../clock.ts';

/** In flight at once from the start. */
const FIRST = 10;
/** Milliseconds without a refusal after which twice as many may be. */
const STEP_MS = 10;
/** Sends per millisecond among the first so many. */
const PER_MS = 2;
const CAREFUL_SENDS = 300;

/**
 * Keeps the first bursts to a provider from being refused as a whole: ten at once, twice as many every ten milliseconds
 * in which nothing was refused, and never more than two in a millisecond, so that a refusal is heard before the next
 * hundred are sent. A hundred in flight are reached in fifty milliseconds, once.
 */
export interface StartWindow {
  readonly limit: number;
  /** Milliseconds until the next may be sent. */
  delayMs(now: number): number;
  sent(now: number): void;
  /** As many are in flight as may be: `grown` is called when there may be more. */
  filled(grown: () => void): void;
  /** Something was refused: from here on concurrency and pace know better. */
  end(): void;
}

/** Of {@link createStartWindow}. */
export interface StartWindowOptions {
  /** False for models in this process, which need no such care. */
  readonly remote: boolean;
  /** Sends per millisecond among the first ones: fewer where a refusal is heard late. Default 2. */
  readonly sendsPerMs?: number;
}

/** Starts with the first window. */
export function createStartWindow(clock: Clock, { remote, sendsPerMs = PER_MS }: StartWindowOptions): StartWindow {
  const tickMs = Math.max(1, 1 / sendsPerMs);
  const sendsPerTick = Math.max(1, sendsPerMs);
  let limit = remote ? FIRST : Number.POSITIVE_INFINITY;
  let growing = false;
  let careful = remote ? CAREFUL_SENDS : 0;
  let tick = 0;
  let inTick = 0;
  return {
    get limit() {
      return limit;
    },
    delayMs: (now) => (careful > 0 && now < tick + tickMs && inTick >= sendsPerTick ? tick + tickMs - now : 0),
    sent(now) {
      if (careful === 0) return;
      careful -= 1;
      if (now >= tick + tickMs) {
        tick = now;
        inTick = 0;
      }
      inTick += 1;
    },
    filled(grown) {
      if (growing || limit === Number.POSITIVE_INFINITY) return;
      growing = true;
      clock.schedule(STEP_MS, () => {
        growing = false;
        limit *= 2;
        grown();
      });
    },
    end() {
      limit = Number.POSITIVE_INFINITY;
    },
  };
}
