/** A provider's own account of one of its limits, from response headers. */
export interface BucketReport {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until the limit is whole again. */
  readonly resetMs: number;
  /** The limit is refilled all at once at the reset, not bit by bit. */
  readonly windowed: boolean;
}

/** When a report came, and what has been taken that it may not know of. */
export interface ReportMoment {
  readonly takenSince: number;
  readonly now: number;
}

/** Our shadow of a provider's bucket. */
export interface Bucket {
  observe(report: BucketReport, moment: ReportMoment): void;
  take(cost: number, now: number): void;
  /** Milliseconds until `cost` fits; 0 while nothing is known. */
  delayMs(now: number, cost: number): number;
}

/** Knows nothing and delays nothing until the first report. */
export function createBucket(): Bucket {
  let limit = Number.POSITIVE_INFINITY;
  let level = Number.POSITIVE_INFINITY;
  let at = 0;
  /** Units per millisecond. */
  let rate = 0;
  let resetAt: number | undefined;

  const refill = (now: number): void => {
    if (now <= at) return;
    if (resetAt !== undefined) {
      if (now >= resetAt) {
        level = limit;
        resetAt = undefined;
      }
    } else level = Math.min(limit, level + rate * (now - at));
    at = now;
  };

  return {
    observe(report, { takenSince, now }) {
      limit = report.limit;
      const missing = report.limit - report.remaining;
      if (report.windowed) {
        resetAt = now + report.resetMs;
        rate = 0;
      } else {
        resetAt = undefined;
        if (missing > 0 && report.resetMs > 0) rate = missing / report.resetMs;
      }
      // What was refilled while the response was on its way is not counted: nobody knows how long that was.
      level = Math.min(limit, report.remaining - takenSince);
      at = now;
    },
    take(cost, now) {
      refill(now);
      level -= cost;
    },
    delayMs(now, cost) {
      if (level === Number.POSITIVE_INFINITY) return 0;
      refill(now);
      // What is larger than the whole limit can only wait for a full bucket.
      const needed = Math.min(cost, limit);
      if (level >= needed) return 0;
      if (resetAt !== undefined) return Math.max(1, resetAt - now);
      return rate > 0 ? (needed - level) / rate : 0;
    },
  };
}
