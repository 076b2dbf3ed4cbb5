import type { ModelError } from '../model-error.ts';

/** Longest cool-down without a Retry-After. */
const MAX_COOL_DOWN_MS = 60_000;
/** With a known rate, a cool-down is at most the time of this many requests. */
const PAUSE_REQUESTS = 8;
const MAX_JITTER_MS = 500;
/** Factors on the concurrency: after a refusal by rate, and after overload. */
const RATE_CUT = 0.7;
const OVERLOAD_CUT = 0.5;

/** One model's shared cool-down and concurrency. */
export interface Overload {
  /** Attempts that may be in flight. */
  readonly limit: number;
  /** Milliseconds since the Unix epoch before which nothing is sent. */
  readonly until: number;
  succeeded(): void;
  /** The provider complained; `news` when it was not about what was sent before its last complaint. */
  complained(
    error: ModelError,
    facts: {
      readonly news: boolean;
      readonly inFlight: number;
      readonly now: number;
      /** Requests per second the provider is known to take: then the pace does most of the work. */
      readonly rate: number | undefined;
    },
  ): void;
}

/** Starts cool and without a limit. */
export function createOverload(random: () => number, coolDownMs: number): Overload {
  const concurrency = createConcurrency();
  let until = 0;
  let coolDowns = 0;
  return {
    get limit() {
      return concurrency.limit;
    },
    get until() {
      return until;
    },
    succeeded() {
      coolDowns = 0;
      concurrency.grow();
    },
    complained(error, { news, inFlight, now, rate }) {
      if (news) {
        if (error.fault === 'rate-limit') concurrency.dip(inFlight, RATE_CUT);
        else concurrency.cut(inFlight, OVERLOAD_CUT);
        coolDowns += 1;
      }
      const first = rate === undefined ? coolDownMs : Math.min(coolDownMs, (PAUSE_REQUESTS / rate) * 1000);
      const ceiling = Math.min(MAX_COOL_DOWN_MS, first * 2 ** Math.max(0, coolDowns - 1));
      const wait = error.retryAfterMs ?? (news ? random() * ceiling : 0);
      // All calls got the same moment: without a pace to keep them apart, jitter spreads them.
      const jitter = rate === undefined ? random() * Math.min(wait / 10, MAX_JITTER_MS) : 0;
      until = Math.max(until, now + wait + jitter);
    },
  };
}

/** How many attempts of one model may be in flight: additive increase, multiplicative decrease (RFC 5681's AIMD). */
interface Concurrency {
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
function createConcurrency(): Concurrency {
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
