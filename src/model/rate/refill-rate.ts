/** What is known of a provider's token bucket: when it was empty, and what it gave. Times in milliseconds. */
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
 * gave out what was accepted would just be empty again at `refusedAt`. What spills over while little is sent is counted
 * in; the size it spills at follows from the first burst, for the same rate. A higher rate leaves a higher level, so
 * halving an interval finds it.
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
