import { readDuration } from '../retry-after.ts';

/** The totals sent when a request left, itself included. */
export interface SendMark {
  readonly requests: number;
  readonly tokens: number;
  /** Its own worst case of tokens. */
  readonly cost: number;
}

/** Limits that a provider reports in response headers: requests and tokens, each a bucket that refills. */
export interface HeaderLimits {
  /** The provider reports its limit of requests. */
  readonly known: boolean;
  /** A request with this worst case of tokens is sent. */
  sent(tokens: number, now: number): SendMark;
  /** The request of `mark` is over, with or without a response. */
  left(mark: SendMark): void;
  /** The response to the request of `mark` came with these headers. */
  observe(headers: Readonly<Record<string, string>>, mark: SendMark, now: number): void;
  /** Milliseconds until a request of this worst case fits. */
  delayMs(now: number, tokens: number): number;
}

/**
 * Longest wait because of a header, in milliseconds: then one request finds out. Where the limit is real, its refusal
 * says so; a header that is wrong would hold a run until its time is up, without a word.
 */
const MAX_WAIT_MS = 60_000;

/** No headers seen, no limits known. */
export function createHeaderLimits(): HeaderLimits {
  const requests = createBucket();
  const tokens = createBucket();
  let sentRequests = 0;
  let sentTokens = 0;
  let known = false;
  let sentAt = 0;
  /** Requests whose response has not begun: a report may know of those sent before its own, or not. */
  const unheard = new Set<SendMark>();

  /** Requests and tokens that a report for `mark` may not have counted. */
  const uncounted = (mark: SendMark): { readonly requests: number; readonly tokens: number } => {
    unheard.delete(mark);
    let requestsBefore = 0;
    let tokensBefore = 0;
    for (const other of unheard) {
      if (other.requests > mark.requests) break;
      requestsBefore += 1;
      tokensBefore += other.cost;
    }
    return {
      requests: sentRequests - mark.requests + requestsBefore,
      tokens: sentTokens - mark.tokens + tokensBefore,
    };
  };

  return {
    get known() {
      return known;
    },
    sent(cost, now) {
      sentRequests += 1;
      sentTokens += cost;
      sentAt = now;
      requests.take(1, now);
      tokens.take(cost, now);
      const mark = { requests: sentRequests, tokens: sentTokens, cost };
      unheard.add(mark);
      return mark;
    },
    left: (mark) => void unheard.delete(mark),
    observe(headers, mark, now) {
      const report = readRateHeaders(headers, now);
      const { requests: takenRequests, tokens: takenTokens } = uncounted(mark);
      if (report.requests !== undefined) {
        known = true;
        requests.observe(report.requests, { takenSince: takenRequests, now });
      }
      if (report.tokens !== undefined) {
        tokens.observe(report.tokens, { takenSince: takenTokens, now });
      }
    },
    delayMs(now, cost) {
      const reported = Math.max(requests.delayMs(now, 1), tokens.delayMs(now, cost));
      return Math.min(reported, Math.max(0, sentAt + MAX_WAIT_MS - now));
    },
  };
}

/** A provider's own account of one of its limits, from response headers. */
interface BucketReport {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until the limit is whole again. */
  readonly resetMs: number;
  /** The limit is refilled all at once at the reset, not bit by bit. */
  readonly windowed: boolean;
}

/** When a report came, and what has been taken that it may not know of. */
interface ReportMoment {
  readonly takenSince: number;
  readonly now: number;
}

/** Our shadow of a provider's bucket. */
interface Bucket {
  observe(report: BucketReport, moment: ReportMoment): void;
  take(cost: number, now: number): void;
  /** Milliseconds until `cost` fits; 0 while nothing is known. */
  delayMs(now: number, cost: number): number;
}

/** Knows nothing and delays nothing until the first report. */
function createBucket(): Bucket {
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
      // The refill while the response was on its way does not count: that time is unknown.
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
      // A request that is larger than the whole limit can only wait for a full bucket.
      const needed = Math.min(cost, limit);
      if (level >= needed) return 0;
      if (resetAt !== undefined) return Math.max(1, resetAt - now);
      return rate > 0 ? (needed - level) / rate : 0;
    },
  };
}

/** The limits in a response's headers. */
interface RateReport {
  readonly requests: BucketReport | undefined;
  readonly tokens: BucketReport | undefined;
}

interface HeaderNames {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
  readonly windowed: boolean;
}

/** OpenAI and most compatible servers; Anthropic; OpenRouter and others; the IETF draft. */
const REQUESTS: readonly HeaderNames[] = [
  suffixed('x-ratelimit', 'requests'),
  prefixed('anthropic-ratelimit-requests'),
  { ...prefixed('x-ratelimit'), windowed: true },
  { ...prefixed('ratelimit'), windowed: true },
];
const TOKENS: readonly HeaderNames[] = [suffixed('x-ratelimit', 'tokens'), prefixed('anthropic-ratelimit-tokens')];

function suffixed(prefix: string, unit: string): HeaderNames {
  return {
    limit: `${prefix}-limit-${unit}`,
    remaining: `${prefix}-remaining-${unit}`,
    reset: `${prefix}-reset-${unit}`,
    windowed: false,
  };
}

function prefixed(prefix: string): HeaderNames {
  return { limit: `${prefix}-limit`, remaining: `${prefix}-remaining`, reset: `${prefix}-reset`, windowed: false };
}

/** Reads the rate-limit headers of the known providers. */
export function readRateHeaders(headers: Readonly<Record<string, string>>, now: number): RateReport {
  return { requests: readFirst(headers, REQUESTS, now), tokens: readFirst(headers, TOKENS, now) };
}

function readFirst(
  headers: Readonly<Record<string, string>>,
  candidates: readonly HeaderNames[],
  now: number,
): BucketReport | undefined {
  for (const names of candidates) {
    const limit = Number(headers[names.limit]);
    const remaining = Number(headers[names.remaining]);
    const resetMs = readReset(headers[names.reset], now);
    if (limit > 0 && remaining >= 0 && resetMs !== undefined) {
      return { limit, remaining, resetMs, windowed: names.windowed };
    }
  }
  return undefined;
}

/** A duration (`1m30s`, `20ms`), seconds, an epoch in seconds or milliseconds, or a date (Anthropic: RFC 3339). */
function readReset(text: string | undefined, now: number): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const duration = readDuration(text);
  if (duration !== undefined) return duration;
  const number = Number(text);
  if (Number.isFinite(number)) {
    if (number > 1e12) return Math.max(0, number - now);
    return number > 1e9 ? Math.max(0, number * 1000 - now) : Math.max(0, number * 1000);
  }
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
