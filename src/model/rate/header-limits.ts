import { createBucket } from './bucket.ts';
import { readRateHeaders } from './rate-headers.ts';

/** What had been sent when a request left, itself included. */
export interface SendMark {
  readonly requests: number;
  readonly tokens: number;
  readonly at: number;
}

/** Limits as a provider's response headers tell them: requests and tokens, each a bucket that refills. */
export interface HeaderLimits {
  /** The provider tells its limit of requests. */
  readonly known: boolean;
  /** A request with this worst case of tokens is sent. */
  sent(tokens: number, now: number): SendMark;
  /** The response to the request of `mark` came with these headers. */
  observe(headers: Readonly<Record<string, string>>, mark: SendMark, now: number): void;
  /** Milliseconds until a request of this worst case fits. */
  delayMs(now: number, tokens: number): number;
}

/** No headers seen, no limits known. */
export function createHeaderLimits(): HeaderLimits {
  const requests = createBucket();
  const tokens = createBucket();
  let sentRequests = 0;
  let sentTokens = 0;
  let known = false;
  return {
    get known() {
      return known;
    },
    sent(cost, now) {
      sentRequests += 1;
      sentTokens += cost;
      requests.take(1, now);
      tokens.take(cost, now);
      return { requests: sentRequests, tokens: sentTokens, at: now };
    },
    observe(headers, mark, now) {
      const report = readRateHeaders(headers, now);
      if (report.requests !== undefined) {
        known = true;
        requests.observe(report.requests, { takenSince: sentRequests - mark.requests, sentAt: mark.at, now });
      }
      if (report.tokens !== undefined) {
        tokens.observe(report.tokens, { takenSince: sentTokens - mark.tokens, sentAt: mark.at, now });
      }
    },
    delayMs: (now, cost) => Math.max(requests.delayMs(now, 1), tokens.delayMs(now, cost)),
  };
}
