import type { Clock } from '../../clock.ts';

/** In flight at once from the start. */
const FIRST = 10;
/** Milliseconds without a refusal after which twice as many may be. */
const STEP_MS = 10;

/**
 * Keeps the first burst to a provider from being refused as a whole: ten at once, twice as many every ten milliseconds
 * in which nothing was refused. A hundred in flight are reached in forty milliseconds, once.
 */
export interface StartWindow {
  readonly limit: number;
  /** As many are in flight as may be: `grown` is called when there may be more. */
  filled(grown: () => void): void;
  /** Something was refused: from here on concurrency and pace know better. */
  end(): void;
}

/** @param remote false for models in this process, which need no such care */
export function createStartWindow(clock: Clock, remote: boolean): StartWindow {
  let limit = remote ? FIRST : Number.POSITIVE_INFINITY;
  let growing = false;
  return {
    get limit() {
      return limit;
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
