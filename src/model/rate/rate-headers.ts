import { readDuration } from '../retry-after.ts';
import type { BucketReport } from './bucket.ts';

/** What a response's headers say about limits. */
export interface RateReport {
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
