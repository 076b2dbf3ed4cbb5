import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Clock } from '../../clock.ts';
import type { AttemptWatch } from '../attempt-watch.ts';
import { classifyStatus } from '../classify.ts';
import { classifyNetworkError } from '../classify-network.ts';
import { ModelError } from '../model-error.ts';
import { readProviderAnswer } from '../provider-answer.ts';
import { openConnections } from './connections.ts';
import { readWireBody } from './wire-body.ts';

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

type HeaderRecord = Record<string, string>;

/** Longest error body that is read. */
const ERROR_BODY_BYTES = 256 * 1024;
/** How much of a page that is no API reply is quoted. */
const PAGE_CHARS = 200;
/** Statuses whose responses have no body. */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A fetch bound to one attempt, over undici's `request`, which costs a quarter of its `fetch`. It sees what the SDK
 * hides: bytes as signs of life, pages and JSON where a stream was asked for, connections that end too early. It follows
 * no redirect: a POST must not be re-sent to wherever a response points.
 */
export function createWireFetch(watch: AttemptWatch, setup: WireSetup): Fetch {
  return async (input, init) => {
    const connections = await openConnections();
    const url = String(input);
    watch.wire.host = URL.parse(url)?.host;
    const response = await connections.request(url, {
      method: 'POST',
      headers: plainHeaders(init?.headers),
      body: typeof init?.body === 'string' ? init.body : null,
      signal: init?.signal ?? watch.signal,
    });
    const { statusCode: status } = response;
    const headers = joinHeaders(response.headers);
    watch.answered(status, headers);
    const ok = status >= 200 && status < 300;
    const limits = {
      modelId: setup.modelId,
      maxBytes: ok ? setup.maxResponseBytes : ERROR_BODY_BYTES,
      lost: (error: unknown) => lost(error, watch, setup),
    };
    const body = readWireBody(decoded(response.body, headers), watch, limits);
    const reply = (stream: ReadableStream<Uint8Array>): Response =>
      new Response(NO_BODY.has(status) ? null : stream, { status, headers });
    const type = headers['content-type'] ?? '';
    return !ok || type.startsWith('text/event-stream')
      ? reply(body)
      : reply(await sniff(body, type, status, headers, setup));
  };
}

function plainHeaders(headers: RequestInit['headers'] | undefined): HeaderRecord {
  const entries = headers instanceof Headers || Array.isArray(headers) ? headers : Object.entries(headers ?? {});
  return Object.fromEntries([...entries].filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): HeaderRecord {
  const joined: HeaderRecord = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}

/** The body without its encoding; the headers then no longer tell of one. */
function decoded(body: Readable, headers: HeaderRecord): Readable {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  const decoder = encoding === undefined ? undefined : DECODERS[encoding]?.();
  if (decoder === undefined) return body;
  delete headers['content-encoding'];
  delete headers['content-length'];
  // Errors of either come out at the decoder.
  pipeline(body, decoder, () => {});
  return decoder;
}

const DECODERS: Readonly<Record<string, () => ReturnType<typeof createGunzip>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: createInflate,
};

/** A 200 that does not call itself an event stream: let through only if it does not look like a page or an object. */
async function sniff(
  body: ReadableStream<Uint8Array>,
  type: string,
  status: number,
  headers: HeaderRecord,
  setup: WireSetup,
): Promise<ReadableStream<Uint8Array>> {
  const [kept, looked] = body.tee();
  const reader = looked.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const isPage = (): boolean => /^[<{[]/.test(text.trimStart()) || /\b(?:html|json)\b/.test(type);
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    if (!done && text.trimStart() === '') continue;
    if (!isPage()) {
      void reader.cancel().catch(() => {});
      return kept;
    }
    if (done || text.length > ERROR_BODY_BYTES) break;
  }
  void Promise.all([reader.cancel(), kept.cancel()]).catch(() => {});
  throw notAStream(text, type, status, headers, setup);
}

function notAStream(text: string, type: string, status: number, headers: HeaderRecord, setup: WireSetup): ModelError {
  const answer = readProviderAnswer(text);
  if (answer !== undefined) return classifyStatus(status, text, headers, setup);
  const quoted = setup.redact(text).replace(/\s+/g, ' ').trim().slice(0, PAGE_CHARS);
  const what = type === '' ? 'something else' : (type.split(';')[0] ?? type);
  return new ModelError({
    fault: 'not-an-api',
    message: `${setup.modelId} answered with ${what} instead of an event stream: ${quoted}`,
    httpStatus: status,
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
