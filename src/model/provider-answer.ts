import { readDuration } from './retry-after.ts';

/** Characters that are looked at: patterns are tried on them, which takes more than linear time on hostile ones. */
const LONGEST = 4_000;

/** What a provider says of a failure, whatever its wire format. */
export interface ProviderAnswer {
  readonly message: string;
  /** Everything it names the failure by (`type`, `code`, `status`, `reason`), space-separated, as it is written. */
  readonly named: string;
  /** The same in lower case. */
  readonly names: string;
  /** Milliseconds, from Google's `RetryInfo`. */
  readonly retryAfterMs: number | undefined;
  /** A status code inside the body, as in `error` events of a 200 stream. */
  readonly status: number | undefined;
  /** Numbers some servers give beside the message: llama.cpp's `n_ctx` and `n_prompt_tokens`. */
  readonly limit: number | undefined;
  readonly size: number | undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads an error body or event: OpenAI `{error: {message, type, code}}`, Anthropic `{type: 'error', error: {…}}`,
 * Google `{error: {code, message, status, details}}` (also in an array), OpenAI Responses `{type: 'response.failed',
 * response: {error}}`, Ollama `{error: 'text'}`, FastAPI `{detail}`; undefined when it is none of these.
 */
export function readProviderAnswer(body: unknown): ProviderAnswer | undefined {
  const read = typeof body === 'string' ? parse(body) : body;
  const root = asObject(Array.isArray(read) ? read[0] : read);
  if (root === undefined) return undefined;
  const inner = asObject(root.error) ?? asObject(asObject(root.response)?.error) ?? root;
  const text = firstString(inner.message, root.message, root.error, root.detail, inner.detail);
  if (text === undefined) return undefined;
  const details = Array.isArray(inner.details) ? inner.details.map(asObject).filter((item) => item !== undefined) : [];
  const code = inner.code ?? root.code;
  const named = [inner.type, code, inner.status, ...details.map((item) => item.reason), ...quotaIds(details)]
    .filter((name) => typeof name === 'string')
    .join(' ')
    .slice(0, LONGEST);
  return {
    message: text.slice(0, LONGEST),
    named,
    names: named.toLowerCase(),
    retryAfterMs: retryDelay(details),
    status: statusIn(code) ?? statusIn(root.statusCode),
    limit: asNumber(inner.n_ctx),
    size: asNumber(inner.n_prompt_tokens),
  };
}

function retryDelay(details: readonly JsonObject[]): number | undefined {
  const delay = details.find((item) => typeof item.retryDelay === 'string')?.retryDelay;
  return typeof delay === 'string' ? readDuration(delay) : undefined;
}

function quotaIds(details: readonly JsonObject[]): unknown[] {
  return details.flatMap((item) =>
    Array.isArray(item.violations) ? item.violations.map((violation) => asObject(violation)?.quotaId) : [],
  );
}

function statusIn(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : undefined;
}

function firstString(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value !== '');
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
