/**
 * Finds the rate a provider allows from nothing but its refusals, and keeps to it.
 *
 * Two refusals mark two moments at which the provider's bucket was empty; the number accepted between them says how fast it
 * refills. We send a little below that and creep upwards, so that a higher limit is noticed at the price of a rare
 * refusal.
 *
 * AIMD and cool-downs alone do not do this. Simulated providers without rate headers (rate-control.test.ts), 32 calls in
 * flight for 30 s, share of the allowed rate used and share refused, with the learner and without: 50 requests/s 0.99 and
 * 0.3 % against 0.25 and 6 %; 20 requests/s 0.99 and 1.3 % against 0.3 and 18 %.
 */
export interface RateLearner {
  /** Requests per second as estimated; undefined while there is no estimate to rely on. */
  readonly rate: number | undefined;
  /** Milliseconds until the next request may be sent. */
  delayMs(now: number): number;
  /** A request is sent; the answer is its ordinal. */
  sent(now: number): number;
  /** A request was refused for its rate; true when that is news and not the echo of a known overshoot. */
  refused(ordinal: number, sentAt: number): boolean;
  /** Nothing is sent until then. */
  pause(until: number): void;
}

/** How many accepted requests make an estimate, and a good one. */
const MIN_SAMPLE = 5;
const GOOD_SAMPLE = 300;
/** Below the estimate by its likely error. */
const MARGIN = 0.98;
const GOOD_MARGIN = 0.99;
/** The first refusal: the bucket is taken for a second's worth of the rate, and this much is tried. */
const FIRST_CUT = 0.75;
const FIRST_MS = 1_000;
const FIRST_LEAST = 4;
/** Without an estimate: what a refusal leaves, and growth per second in search of the limit. */
const BLIND_CUT = 0.7;
const SEARCH = 1;
/** Growth per second with an estimate, with a good one, and long after the last refusal. */
const CREEP = 0.01;
const GOOD_CREEP = 0.000_5;
const RECOVERY = 0.05;
const RECOVERY_AFTER_MS = 30_000;
/** Most that one request may add. */
const MAX_STEP = 0.25;
/** A bucket of one or two refuses at its own rate whatever comes early: many refusals in a row take off more. */
const ROW_ALLOWED = 2;
const ROW_CUT = 0.93;
/** A timer that fires late is made up for, within this many milliseconds and within what the bucket holds. */
const LATE_MS = 50;
/** The least spare room: a bucket of one request refuses whenever two come closer than its rate. */
const SPARE_LEAST = 1.5;
/** Timers are late by a millisecond or two all the time: at this rate and above that is always made up for. */
const TIMER_MS = 2;
const TIMER_RATE = 50;

/** Starts without a pace. */
export function createRateLearner(): RateLearner {
  const history = createRefusalHistory();
  let rate: number | undefined;
  let sample = 0;
  let nextAt = 0;
  /** Requests the bucket holds beyond those of an even pace. */
  let spare = Number.POSITIVE_INFINITY;

  return {
    get rate() {
      return sample < MIN_SAMPLE ? undefined : rate;
    },
    delayMs: (now) => (rate === undefined ? 0 : Math.max(0, nextAt - now)),
    sent(now) {
      if (rate !== undefined) {
        // Growth per request sent, so that an unused rate does not grow.
        rate *= 1 + Math.min(MAX_STEP, growth(sample, now - (history.lastRefusalAt ?? 0)) / rate);
        nextAt = Math.max(nextAt, now - lateMs(rate, spare)) + 1000 / rate;
      }
      return history.sent(now);
    },
    refused(ordinal, sentAt) {
      const news = history.refused(ordinal, sentAt);
      if (news.kind === 'echo') return false;
      if (news.kind === 'first') {
        rate = (Math.max(FIRST_LEAST, news.accepted) / Math.max(FIRST_MS, news.elapsedMs)) * 1000 * FIRST_CUT;
      } else {
        sample = news.evidence.accepted.length;
        rate = sample < MIN_SAMPLE ? (rate ?? 1) * BLIND_CUT : estimate(news.evidence, news.inARow);
        spare = Math.max(0, bucketSize(rate / 1000, news.evidence.first) - SPARE_LEAST);
      }
      return true;
    },
    pause(until) {
      nextAt = Math.max(nextAt, until);
    },
  };
}

/** Milliseconds of lateness that are made up for. */
function lateMs(rate: number, spare: number): number {
  return Math.min(LATE_MS, Math.max((1000 * spare) / rate, TIMER_MS * Math.min(1, rate / TIMER_RATE)));
}

/** Per second, as a share of the rate. */
function growth(sample: number, quietMs: number): number {
  if (sample < MIN_SAMPLE) return SEARCH;
  if (quietMs > RECOVERY_AFTER_MS) return RECOVERY;
  return sample < GOOD_SAMPLE ? CREEP : GOOD_CREEP;
}

function estimate(evidence: BucketEvidence, inARow: number): number {
  const margin = evidence.accepted.length < GOOD_SAMPLE ? MARGIN : GOOD_MARGIN;
  return refillRate(evidence) * margin * ROW_CUT ** Math.max(0, inARow - ROW_ALLOWED);
}

/** How far back refusals and requests are remembered. */
const MEMORY_MS = 30_000;
const MEMORY_REQUESTS = 3_000;
/** Refusals within so many requests count as in a row. */
const ROW_REQUESTS = 50;

/** Meaning of a refusal: the echo of a known one, the first ever, or one more moment at which the bucket was empty. */
type RefusalNews =
  | { readonly kind: 'echo' }
  | { readonly kind: 'first'; readonly accepted: number; readonly elapsedMs: number }
  | { readonly kind: 'again'; readonly evidence: BucketEvidence; readonly inARow: number };

/** Requests and refusals of the last half minute. */
interface RefusalHistory {
  /** Milliseconds since the Unix epoch; undefined while nothing was refused. */
  readonly lastRefusalAt: number | undefined;
  /** A request is sent; the answer is its ordinal. */
  sent(now: number): number;
  refused(ordinal: number, sentAt: number): RefusalNews;
}

interface Sent {
  readonly ordinal: number;
  readonly at: number;
}

/** One overshoot: a refusal that was news, and those of requests sent before we knew of it. */
interface Refusal {
  /** When the last refused request was sent: the bucket was empty then. */
  at: number;
  /** Requests up to this one were sent before we knew. */
  readonly cut: number;
}

/** Remembers nothing yet. */
function createRefusalHistory(): RefusalHistory {
  let count = 0;
  /** Requests sent and not refused. */
  let accepted: Sent[] = [];
  let refusals: Refusal[] = [];
  let firstCut: number | undefined;
  let first: readonly number[] | undefined;

  const forget = (now: number): void => {
    accepted = accepted.slice(-MEMORY_REQUESTS);
    const oldest = accepted[0]?.ordinal ?? 0;
    const last = refusals.at(-1);
    refusals = refusals.filter(
      (refusal) => refusal === last || (now - refusal.at < MEMORY_MS && refusal.cut >= oldest),
    );
  };

  const classify = (ordinal: number, sentAt: number): RefusalNews => {
    const [from] = refusals;
    const before = accepted.filter((request) => request.ordinal < ordinal);
    if (from === undefined) {
      return { kind: 'first', accepted: before.length, elapsedMs: sentAt - (before[0]?.at ?? sentAt) };
    }
    first ??= accepted.filter((request) => request.ordinal <= (firstCut ?? 0)).map(({ at }) => at);
    const between = before.filter((request) => request.ordinal > from.cut || request.at > from.at);
    const evidence = { emptyAt: from.at, refusedAt: sentAt, accepted: between.map(({ at }) => at), first };
    return { kind: 'again', evidence, inARow: refusals.filter(({ cut }) => ordinal - cut < ROW_REQUESTS).length };
  };

  return {
    get lastRefusalAt() {
      return refusals.at(-1)?.at;
    },
    sent(now) {
      count += 1;
      accepted.push({ ordinal: count, at: now });
      if (accepted.length > MEMORY_REQUESTS * 2) forget(now);
      return count;
    },
    refused(ordinal, sentAt) {
      accepted = accepted.filter((request) => request.ordinal !== ordinal);
      const last = refusals.at(-1);
      if (last !== undefined && ordinal <= last.cut) {
        last.at = Math.max(last.at, sentAt);
        return { kind: 'echo' };
      }
      forget(sentAt);
      const news = classify(ordinal, sentAt);
      refusals.push({ at: sentAt, cut: count });
      firstCut ??= count;
      return news;
    },
  };
}

/**
 * Observations of a provider's token bucket: when it was empty, and which requests it accepted. Times in milliseconds.
 */
export interface BucketEvidence {
  /** It refused a request then: it was empty. */
  readonly emptyAt: number;
  /** It refused again then: empty again. */
  readonly refusedAt: number;
  /** When the requests in between that it accepted were sent, in order. */
  readonly accepted: readonly number[];
  /** The same from the start, when it was full, until its first refusal. */
  readonly first: readonly number[];
}

const ROUNDS = 20;

/**
 * The refill rate of a token bucket, in requests per second: the one at which a bucket that was empty at `emptyAt` and
 * served the accepted requests would just be empty again at `refusedAt`. The refill that a full bucket loses is counted
 * in; its size follows from the first burst, for the same rate. A higher rate leaves a higher level, so halving an
 * interval finds it.
 */
export function refillRate(evidence: BucketEvidence): number {
  const span = Math.max(1, evidence.refusedAt - evidence.emptyAt);
  let low = 0;
  let high = ((evidence.accepted.length + 1) / shortestSpan(evidence)) * 2;
  for (let round = 0; round < ROUNDS && high - low > 0.001 / span; round++) {
    const rate = (low + high) / 2;
    if (levelAtRefusal(rate, evidence) >= 1) high = rate;
    else low = rate;
  }
  return low * 1000;
}

/** The busiest a bound can be: everything accepted within the time between the first and the last of it. */
function shortestSpan({ accepted, refusedAt }: BucketEvidence): number {
  return Math.max(1, refusedAt - (accepted[0] ?? refusedAt));
}

function levelAtRefusal(rate: number, { emptyAt, refusedAt, accepted, first }: BucketEvidence): number {
  const size = bucketSize(rate, first);
  let level = 0;
  let at = emptyAt;
  for (const sentAt of accepted) {
    level = Math.min(size, level + rate * (sentAt - at)) - 1;
    at = sentAt;
  }
  return Math.min(size, level + rate * (refusedAt - at));
}

/** The size of the bucket in requests: what was missing from the full one when it first refused. `rate` per millisecond. */
export function bucketSize(rate: number, first: readonly number[]): number {
  let missing = 0;
  let at = first[0] ?? 0;
  for (const sentAt of first) {
    missing = Math.max(0, missing - rate * (sentAt - at)) + 1;
    at = sentAt;
  }
  return Math.max(1, missing);
}
