import type { Clock } from '../../clock.ts';
import type { AttemptWatch } from '../attempt-watch.ts';
import { classifyStatus } from '../classify.ts';
import { classifyNetworkError } from '../classify-network.ts';
import { ModelError } from '../model-error.ts';
import { readProviderAnswer } from '../provider-answer.ts';
import { openConnections } from './connections.ts';
import { watchBody } from './watch-body.ts';

/** The fetch that providers of the AI SDK take. */
export type Fetch = typeof globalThis.fetch;

/** What one attempt's fetch needs to know. */
export interface WireSetup {
  readonly modelId: string;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
  /** Largest response in bytes, decompressed. */
  readonly maxResponseBytes: number;
}

/** Longest error body that is read. */
const ERROR_BODY_BYTES = 256 * 1024;
/** How much of a page that is no API reply is quoted. */
const PAGE_CHARS = 200;

/**
 * A fetch bound to one attempt. It sees what the SDK hides: bytes as signs of life, pages and JSON where a stream was
 * asked for, connections that end too early, replies without end. It follows no redirect: a POST must not be re-sent
 * to wherever a response points.
 */
export function createWireFetch(watch: AttemptWatch, setup: WireSetup): Fetch {
  const wireFetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const { fetch, dispatcher } = await openConnections();
    const url = String(input);
    watch.wire.host = URL.parse(url)?.host;
    const sent = fetch(url, { ...(init as object), redirect: 'manual', dispatcher });
    const response = (await sent) as unknown as Response;
    watch.answered(response.status, Object.fromEntries(response.headers));
    if (response.body === null) return response;
    if (!response.ok) return limited(response, watch, { ...setup, maxResponseBytes: ERROR_BODY_BYTES });
    return await streamed(response, watch, setup);
  };
  return wireFetch as Fetch;
}

function limited(response: Response, watch: AttemptWatch, setup: WireSetup): Response {
  const body = watchBody(response.body ?? emptyBody(), watch, setup, (error) => lost(error, watch, setup));
  return copyOf(response, body);
}

/** The response as the SDK gets it: the body is decoded already, so its length and encoding no longer hold. */
function copyOf(response: Response, body: ReadableStream<Uint8Array>): Response {
  const headers = new Headers(response.headers);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

async function streamed(response: Response, watch: AttemptWatch, setup: WireSetup): Promise<Response> {
  const whole = limited(response, watch, setup);
  const type = response.headers.get('content-type') ?? '';
  const reader = (whole.body ?? emptyBody()).getReader();
  const first = /\b(?:html|json)\b/.test(type) ? undefined : await reader.read();
  if (first !== undefined && !looksLikePage(first.value)) return copyOf(response, resume(reader, first));
  const text = await readText(reader, first?.value);
  throw notAStream(text, type, response, setup);
}

/** Event streams begin with a field name or a comment, never with a tag or an object. */
function looksLikePage(chunk: Uint8Array | undefined): boolean {
  const start = new TextDecoder().decode(chunk?.subarray(0, 64)).trimStart();
  return start.startsWith('<') || start.startsWith('{');
}

function notAStream(text: string, type: string, response: Response, setup: WireSetup): ModelError {
  const answer = readProviderAnswer(text);
  if (answer !== undefined) return classifyStatus(response.status, text, Object.fromEntries(response.headers), setup);
  const quoted = setup.redact(text).replace(/\s+/g, ' ').trim().slice(0, PAGE_CHARS);
  const what = type === '' ? 'something else' : (type.split(';')[0] ?? type);
  return new ModelError({
    fault: 'not-an-api',
    message: `${setup.modelId} answered with ${what} instead of an event stream: ${quoted}`,
    httpStatus: response.status,
    data: { page: quoted },
  });
}

function lost(error: unknown, watch: AttemptWatch, setup: WireSetup): ModelError {
  return (
    classifyNetworkError(error, setup.modelId, watch.wire) ??
    new ModelError({
      fault: 'truncated',
      message: `The reply of ${setup.modelId} broke off: ${setup.redact(String(error))}`,
      possiblyBilled: true,
    })
  );
}

type Chunk = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

/** A stream of what was read already and the rest. */
function resume(reader: ReadableStreamDefaultReader<Uint8Array>, first: Chunk): ReadableStream<Uint8Array> {
  let pending: Chunk | undefined = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = pending ?? (await reader.read());
      pending = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

async function readText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Uint8Array | undefined,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = decoder.decode(first, { stream: true });
  while (text.length < ERROR_BODY_BYTES) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
  void reader.cancel().catch(() => {});
  return text;
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
