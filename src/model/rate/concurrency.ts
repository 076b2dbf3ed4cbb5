/** How many attempts of one model may be in flight: additive increase, multiplicative decrease (RFC 5681's AIMD). */
export interface Concurrency {
  /** `Infinity` as long as the provider has never complained. */
  readonly limit: number;
  /** An attempt went well. */
  grow(): void;
  /** The provider is overloaded with `inFlight` attempts in flight; `factor` of them remain. */
  cut(inFlight: number, factor: number): void;
  /** As `cut`, but for a limit in requests per time: the pace keeps to that, so concurrency comes back at twice a round. */
  dip(inFlight: number, factor: number): void;
}

/** Above this a limit no longer limits anything. */
const UNLIMITED_ABOVE = 1_024;

/** Starts without a limit: a provider that never complains is never held back. */
export function createConcurrency(): Concurrency {
  let limit = Number.POSITIVE_INFINITY;
  let fast = false;
  const reduce = (inFlight: number, factor: number): void => {
    limit = Math.max(1, Math.min(limit, inFlight) * factor);
  };
  return {
    get limit() {
      return Math.floor(limit);
    },
    grow() {
      // One more per round of `limit` attempts, or a tenth where that is more: large pools recover in sensible time.
      if (limit !== Number.POSITIVE_INFINITY) limit += fast ? 1 : Math.max(1, limit / 10) / limit;
      if (limit > UNLIMITED_ABOVE) limit = Number.POSITIVE_INFINITY;
    },
    cut(inFlight, factor) {
      fast = false;
      reduce(inFlight, factor);
    },
    dip(inFlight, factor) {
      fast = true;
      reduce(inFlight, factor);
    },
  };
}
