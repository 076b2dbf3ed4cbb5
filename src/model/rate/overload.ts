import type { ModelError } from '../model-error.ts';
import { createConcurrency } from './concurrency.ts';

/** Longest cool-down without a Retry-After. */
const MAX_COOL_DOWN_MS = 60_000;
/** With a known rate, a cool-down is at most the time of this many requests. */
const PAUSE_REQUESTS = 8;
const MAX_JITTER_MS = 500;
/** What remains of the concurrency after a refusal by rate, and after overload. */
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
      // Everybody was told the same moment: without a pace to keep them apart, not all come back at it.
      const jitter = rate === undefined ? random() * Math.min(wait / 10, MAX_JITTER_MS) : 0;
      until = Math.max(until, now + wait + jitter);
    },
  };
}
