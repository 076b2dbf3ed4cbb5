import type { BucketEvidence } from './refill-rate.ts';

/** How far back refusals and requests are remembered. */
const MEMORY_MS = 30_000;
const MEMORY_REQUESTS = 3_000;
/** Refusals within so many requests count as in a row. */
const ROW_REQUESTS = 50;

/** What a refusal tells: the echo of a known one, the first ever, or one more moment at which the bucket was empty. */
export type RefusalNews =
  | { readonly kind: 'echo' }
  | { readonly kind: 'first'; readonly accepted: number; readonly elapsedMs: number }
  | { readonly kind: 'again'; readonly evidence: BucketEvidence; readonly inARow: number };

/** Requests and refusals of the last half minute. */
export interface RefusalHistory {
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

/** One overshoot: a refusal that was news, and those that came of requests sent before we knew of it. */
interface Refusal {
  /** When the last refused request was sent: the bucket was empty then. */
  at: number;
  /** Requests up to this one were sent before we knew. */
  readonly cut: number;
}

/** Remembers nothing yet. */
export function createRefusalHistory(): RefusalHistory {
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

  const tell = (ordinal: number, sentAt: number): RefusalNews => {
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
      const news = tell(ordinal, sentAt);
      refusals.push({ at: sentAt, cut: count });
      firstCut ??= count;
      return news;
    },
  };
}
