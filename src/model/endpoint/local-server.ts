import { openConnections } from '../wire/connections.ts';
import type { Endpoint } from './endpoint.ts';

/** Milliseconds for all questions about a window together: the run waits for the answer. */
const ASK_MS = 1_000;
/** Longest answer that is read. */
const ANSWER_BYTES = 1024 * 1024;

/** Where a model is asked for. */
export interface ServedModel {
  readonly baseUrl: string;
  readonly query: string;
  readonly model: string;
  readonly key: string | undefined;
}

/** True for a URL on this machine or a private network (RFC 1918, RFC 4193, link-local, `.local`). */
export function isLocalUrl(url: string): boolean {
  const host =
    URL.parse(url)
      ?.hostname.toLowerCase()
      .replace(/^\[|\]$/g, '') ?? '';
  if (host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.local')) return true;
  if (host === 'host.docker.internal' || host === '::1' || /^(?:f[cd]|fe[89ab])[0-9a-f]*:/.test(host)) return true;
  const [first = -1, second = -1] = /^\d+\.\d+\.\d+\.\d+$/.test(host) ? host.split('.').map(Number) : [];
  if (first === 127 || first === 10) return true;
  return (
    (first === 192 && second === 168) ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 169 && second === 254)
  );
}

/**
 * Asks a local server for the window with which it runs the model, and notes it. Each kind of server answers one of the
 * questions; a server that answers none leaves the window unknown, without an error.
 *
 * - Ollama: `/api/ps` reports the window of a loaded model, `/api/show` its `num_ctx`. The trained maximum, which
 *   `/api/show` reports as well, says nothing about the window in use.
 * - vLLM: `max_model_len` in `/v1/models`; llama.cpp: `meta.n_ctx` there. LM Studio: `loaded_context_length` in `/api/v0/models`.
 * - llama.cpp: `n_ctx` in `/props`.
 */
export async function measureWindow(
  served: ServedModel,
  endpoint: Endpoint,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const signal = AbortSignal.timeout(ASK_MS);
  const root = URL.parse(served.baseUrl)?.origin ?? '';
  const ask = (url: string, body?: object): Promise<unknown> => askServer(url, { served, headers, signal, body });
  const answers = await Promise.all([
    ask(`${root}/api/ps`).then((answer) => loadedWindow(answer, served.model)),
    ask(`${root}/api/show`, { model: served.model }).then(configuredWindow),
    ask(`${served.baseUrl}/models${served.query}`).then((answer) => listedWindow(answer, served.model)),
    ask(`${root}/api/v0/models`).then((answer) => listedWindow(answer, served.model)),
    ask(`${root}/props`).then(slotWindow),
  ]);
  const window = answers.find((answer) => answer !== undefined);
  if (window !== undefined) endpoint.learn({ kind: 'window', tokens: window, inputTokens: undefined });
}

/** The models that a local server lists, in its order; empty for a server that lists none. */
export async function servedModels(served: Omit<ServedModel, 'model'>): Promise<readonly string[]> {
  const question = { served, headers: {}, signal: AbortSignal.timeout(ASK_MS), body: undefined };
  const answer = await askServer(`${served.baseUrl}/models${served.query}`, question);
  const { data } = (answer ?? {}) as { readonly data?: unknown };
  return list(data).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
}

interface Question {
  readonly served: Omit<ServedModel, 'model'>;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly body: object | undefined;
}

/** The JSON a server answers with; undefined for every failure, because the question is optional. */
async function askServer(url: string, { served, headers, signal, body }: Question): Promise<unknown> {
  try {
    const { request } = await openConnections();
    const response = await request(url, {
      method: body === undefined ? 'GET' : 'POST',
      signal,
      headers: {
        ...(served.key === undefined ? {} : { authorization: `Bearer ${served.key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += (chunk as Buffer).length;
      if (size > ANSWER_BYTES) return undefined;
      chunks.push(chunk as Buffer);
    }
    return response.statusCode === 200 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
  } catch {
    return undefined;
  }
}

interface ListedModel {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly model?: unknown;
  readonly context_length?: unknown;
  readonly max_model_len?: unknown;
  readonly loaded_context_length?: unknown;
  readonly meta?: { readonly n_ctx?: unknown } | null;
}

function loadedWindow(answer: unknown, model: string): number | undefined {
  const { models } = (answer ?? {}) as { readonly models?: unknown };
  const names = [model, `${model}:latest`];
  const loaded = list(models).find(({ name, model: id }) => names.includes(String(name)) || names.includes(String(id)));
  return positive(loaded?.context_length);
}

/** `parameters` is a text with one parameter a line: `num_ctx    8192`. */
function configuredWindow(answer: unknown): number | undefined {
  const { parameters } = (answer ?? {}) as { readonly parameters?: unknown };
  const found = typeof parameters === 'string' ? /^\s*num_ctx\s+(\d+)/m.exec(parameters)?.[1] : undefined;
  return positive(Number(found));
}

function listedWindow(answer: unknown, model: string): number | undefined {
  const { data } = (answer ?? {}) as { readonly data?: unknown };
  const listed = list(data).find(({ id }) => id === model);
  return positive(listed?.max_model_len) ?? positive(listed?.loaded_context_length) ?? positive(listed?.meta?.n_ctx);
}

function slotWindow(answer: unknown): number | undefined {
  const { default_generation_settings: settings } = (answer ?? {}) as {
    readonly default_generation_settings?: { readonly n_ctx?: unknown } | null;
  };
  return positive(settings?.n_ctx);
}

function list(value: unknown): ListedModel[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
