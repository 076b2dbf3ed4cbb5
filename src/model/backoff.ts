import type { ModelError } from './model-error.ts';

/** How failed attempts are repeated. */
export interface RetryPolicy {
  /** Attempts of one call, without those refused by a rate limit or for want of a connection. */
  readonly maxAttempts: number;
  /** Attempts of one call that a rate limit may refuse. */
  readonly maxRefusals: number;
  /** Milliseconds for which an unreachable host is tried again. */
  readonly unreachableMs: number;
  /** Milliseconds of the first backoff; doubles with every attempt. */
  readonly baseMs: number;
  /** Longest backoff in milliseconds. */
  readonly capMs: number;
}

/** Full jitter, base 0.5 s, cap 60 s; five attempts span some ten seconds, which outlasts a restart behind a proxy. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 5,
  maxRefusals: 20,
  unreachableMs: 30_000,
  baseMs: 500,
  capMs: 60_000,
};

/**
 * Milliseconds before the next attempt: full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), never
 * less than the provider asked for, and never less than a fifth of the base.
 *
 * @param failures attempts that failed so far, at least 1
 * @param random in [0, 1)
 */
export function backoffMs(policy: RetryPolicy, failures: number, error: ModelError, random: () => number): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures - 1, 30));
  const floor = policy.baseMs / 5;
  const jittered = floor + random() * Math.max(0, ceiling - floor);
  if (error.retryAfterMs === undefined) return jittered;
  // Told to wait: at least that, and not all at the same moment after it.
  return Math.max(error.retryAfterMs + random() * floor, floor);
}
