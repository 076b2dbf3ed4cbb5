/** Longest wait a provider may ask for; more is a mistake in its clock or ours. */
const MAX_WAIT_MS = 24 * 3_600_000;
/** Characters of the longest duration that is one: a pattern over a megabyte of digits would take hours. */
const MAX_DURATION = 64;

/** A day, a month or a year beside a time of day: `Date.parse` alone finds a date in many other texts. */
const DATE = /\d.*\b\d{1,2}:\d{2}/;

/** Response headers by lower-case name. */
export type HeaderRecord = Readonly<Record<string, string | undefined>>;

/**
 * Milliseconds a provider asks us to wait: `retry-after-ms`, `retry-after` in seconds or as an HTTP date (RFC 9110
 * §10.2.3). A date in the past is 0; undefined when it says nothing readable.
 */
export function retryAfterMs(headers: HeaderRecord, now: number): number | undefined {
  const exact = readNumber(headers['retry-after-ms']);
  if (exact !== undefined) return clampWait(exact);
  const header = headers['retry-after'];
  if (header === undefined) return undefined;
  // A proxy may add its own to the provider's: the longest wait satisfies both.
  const inSeconds = header.split(',').map(readNumber);
  if (inSeconds.every((amount) => amount !== undefined)) return clampWait(Math.max(...inSeconds) * 1000);
  const date = DATE.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : clampWait(date - now);
}

/** Google's `RetryInfo.retryDelay`, e.g. `34.07s`, in milliseconds. */
export function readDuration(text: string): number | undefined {
  if (text.length > MAX_DURATION) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  let matched = '';
  for (const [whole, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit ?? ''] ?? 0);
    matched += whole;
  }
  return matched !== '' && matched === text.trim() ? clampWait(total) : undefined;
}

/** `x-should-retry`, which outranks the status. */
export function shouldRetry(headers: HeaderRecord): boolean | undefined {
  const header = headers['x-should-retry'];
  return header === 'true' ? true : header === 'false' ? false : undefined;
}

function readNumber(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function clampWait(milliseconds: number): number {
  return Math.min(MAX_WAIT_MS, Math.max(0, milliseconds));
}
