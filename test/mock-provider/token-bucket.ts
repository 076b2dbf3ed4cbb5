/** A provider's rate limit. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
  /** The headers that report it. Default none. */
  readonly headers?: 'openai' | 'anthropic';
  /** How a refusal says when to come back. Default not at all. */
  readonly retryAfter?: 'seconds' | 'milliseconds';
}

/** A full bucket. `take` is false when it is empty. */
export function createTokenBucket(limit: RateLimit): {
  take(): boolean;
  headers(): Record<string, string>;
  retryHeaders(): Record<string, string>;
} {
  let level = limit.burst;
  let at = performance.now();
  const refill = (): void => {
    const now = performance.now();
    level = Math.min(limit.burst, level + ((now - at) / 1000) * limit.perSecond);
    at = now;
  };
  const untilNextMs = (): number => Math.max(0, ((1 - level) / limit.perSecond) * 1000);
  return {
    take() {
      refill();
      if (level < 1) return false;
      level -= 1;
      return true;
    },
    headers() {
      const fullMs = ((limit.burst - level) / limit.perSecond) * 1000;
      const remaining = String(Math.max(0, Math.floor(level)));
      if (limit.headers === 'openai') {
        return {
          'x-ratelimit-limit-requests': String(limit.burst),
          'x-ratelimit-remaining-requests': remaining,
          'x-ratelimit-reset-requests': `${Math.ceil(fullMs)}ms`,
        };
      }
      if (limit.headers === 'anthropic') {
        return {
          'anthropic-ratelimit-requests-limit': String(limit.burst),
          'anthropic-ratelimit-requests-remaining': remaining,
          'anthropic-ratelimit-requests-reset': new Date(Date.now() + fullMs).toISOString(),
        };
      }
      return {};
    },
    retryHeaders(): Record<string, string> {
      if (limit.retryAfter === 'seconds') return { 'retry-after': String(Math.ceil(untilNextMs() / 1000)) };
      if (limit.retryAfter === 'milliseconds') return { 'retry-after-ms': String(Math.ceil(untilNextMs())) };
      return {};
    },
  };
}
