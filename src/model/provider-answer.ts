import { readDuration } from './retry-after.ts';

/** Characters that are looked at: patterns are tried on them, which takes more than linear time on hostile ones. */
const LONGEST = 4_000;

/** A provider's account of a failure, in whatever wire format. */
export interface ProviderAnswer {
  readonly message: string;
  /** Everything it names the failure by (`type`, `code`, `status`, `reason`), space-separated, as it is written. */
  readonly named: string;
  /** The same in lower case. */
  readonly names: string;
  /** The parameter of the request that the failure is about, e.g. `max_tokens`. */
  readonly param: string | undefined;
  /** The server behind a gateway that failed, as OpenRouter names it. */
  readonly upstream: string | undefined;
  /** Milliseconds, from Google's `RetryInfo`. */
  readonly retryAfterMs: number | undefined;
  /** A status code inside the body, as in `error` events of a 200 stream. */
  readonly status: number | undefined;
  /** Numbers some servers give beside the message: llama.cpp's `n_ctx` and `n_prompt_tokens`. */
  readonly limit: number | undefined;
  readonly size: number | undefined;
}

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads an error body or event: OpenAI `{error: {message, type, code}}`, Anthropic `{type: 'error', error: {…}}`,
 * Google `{error: {code, message, status, details}}` (also in an array), OpenAI Responses `{type: 'response.failed',
 * response: {error}}`, Ollama `{error: 'text'}`, FastAPI `{detail}` (a text or a list of fields), OpenRouter
 * `{error: {message, metadata: {raw, provider_name}}}`; undefined for every other body.
 */
export function readProviderAnswer(body: unknown): ProviderAnswer | undefined {
  const read = typeof body === 'string' ? parseJson(body) : body;
  const root = asObject(Array.isArray(read) ? read[0] : read);
  if (root === undefined) return undefined;
  const inner = asObject(root.error) ?? asObject(asObject(root.response)?.error) ?? root;
  const field = fieldError(root.detail);
  const own = firstString(inner.message, root.message, root.error, root.detail, inner.detail, field?.message);
  if (own === undefined) return undefined;
  const metadata = asObject(inner.metadata);
  const behind = upstreamAnswer(metadata?.raw);
  const text = behind === undefined ? own : `${own}: ${behind.message}`;
  const details = Array.isArray(inner.details) ? inner.details.map(asObject).filter((item) => item !== undefined) : [];
  const code = inner.code ?? root.code;
  const named = [
    ...[inner.type, code, inner.status, behind?.named, field?.type],
    ...details.map((item) => item.reason),
    ...quotaIds(details),
  ]
    .filter((name) => typeof name === 'string')
    .join(' ')
    .slice(0, LONGEST);
  return {
    message: text.slice(0, LONGEST),
    named,
    names: named.toLowerCase(),
    param: firstString(inner.param, root.param, behind?.param, field?.param),
    upstream: firstString(metadata?.provider_name),
    retryAfterMs: retryDelay(details),
    status: statusIn(code) ?? statusIn(root.statusCode),
    limit: asNumber(inner.n_ctx),
    size: asNumber(inner.n_prompt_tokens),
  };
}

/** The answer of the server behind a gateway: its own error as text, or as JSON in a text. */
function upstreamAnswer(raw: unknown): Pick<ProviderAnswer, 'message' | 'named' | 'param'> | undefined {
  if (raw === undefined || raw === null || raw === '') return undefined;
  const answer = readProviderAnswer(raw);
  if (answer !== undefined) return answer;
  const message = typeof raw === 'string' ? raw : JSON.stringify(raw);
  return { message: message.slice(0, LONGEST), named: '', param: undefined };
}

interface FieldError {
  readonly message: string;
  readonly param: string | undefined;
  readonly type: unknown;
}

/** FastAPI's list of invalid fields: the first of them, whose location ends with the field's name. */
function fieldError(detail: unknown): FieldError | undefined {
  const first = Array.isArray(detail) ? asObject(detail[0]) : undefined;
  if (first === undefined) return undefined;
  const place = Array.isArray(first.loc) ? first.loc.filter((part) => typeof part === 'string' && part !== 'body') : [];
  const param = firstString(place[0]);
  const message = firstString(first.msg) ?? 'invalid field';
  return { message: param === undefined ? message : `${param}: ${message}`, param, type: first.type };
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

/** The value as an object; undefined for arrays and every other value. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value of a JSON text; undefined for every other text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
