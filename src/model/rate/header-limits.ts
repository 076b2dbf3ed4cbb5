import { createBucket } from './bucket.ts';
import { readRateHeaders } from './rate-headers.ts';

/** What had been sent when a request left, itself included. */
export interface SendMark {
  readonly requests: number;
  readonly tokens: number;
  /** Its own worst case of tokens. */
  readonly cost: number;
}

/** Limits as a provider's response headers tell them: requests and tokens, each a bucket that refills. */
export interface HeaderLimits {
  /** The provider tells its limit of requests. */
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
 * Longest wait on the word of a header, in milliseconds: then one request finds out. Where the limit is real, its refusal
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

  /** What a report for `mark` cannot be trusted to have counted. */
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
      const told = Math.max(requests.delayMs(now, 1), tokens.delayMs(now, cost));
      return Math.min(told, Math.max(0, sentAt + MAX_WAIT_MS - now));
    },
  };
}
