import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Clock } from '../../clock.ts';
import type { ProviderAdvice } from '../attempt-setup.ts';
import type { AttemptWatch } from '../attempt-watch.ts';
import { classifyStatus } from '../classify.ts';
import { classifyNetworkError } from '../classify-network.ts';
import { type Endpoint, parseBody } from '../endpoint/endpoint.ts';
import { readRefusal } from '../endpoint/refusal.ts';
import { ModelError } from '../model-error.ts';
import { withinReserve } from '../model-settings.ts';
import { readProviderAnswer } from '../provider-answer.ts';
import { openConnections } from './connections.ts';
import { readPage } from './page.ts';
import { isWebPage, webPage } from './web-page.ts';
import { wholeReplyAsEvents } from './whole-reply.ts';
import { readWireBody } from './wire-body.ts';

/** The fetch that providers of the AI SDK take. */
export type Fetch = typeof globalThis.fetch;

/** The options of one attempt's fetch. */
export interface WireSetup {
  readonly modelId: string;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
  readonly advice: ProviderAdvice;
  /** Largest response in bytes, decompressed. */
  readonly maxResponseBytes: number;
  /** The request forms that the endpoint is known to accept. */
  readonly endpoint: Endpoint;
  /** The query of the base URL, with its question mark; it goes with every request. */
  readonly query: string;
  /** Headers beside those of the SDK. */
  readonly headers: Readonly<Record<string, string>>;
}

type HeaderRecord = Record<string, string>;

/** Characters quoted of a page that is not an API reply. */
const PAGE_CHARS = 200;
const EVENT_STREAM = /^text\/event-stream\b/;
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
    const url = withQuery(String(input), setup.query);
    const written = typeof init?.body === 'string' ? reserved(init.body, watch.maxOutputTokens) : undefined;
    const sent = written === undefined ? undefined : setup.endpoint.adapt(written);
    watch.wire.host = URL.parse(url)?.host;
    await watch.confirm();
    const response = await connections.request(url, {
      method: 'POST',
      headers: { ...plainHeaders(init?.headers), ...setup.headers },
      body: sent ?? null,
      signal: init?.signal ?? watch.signal,
      // `102 Processing` and its like: the server is at work.
      onInfo: () => watch.atWork(),
    });
    const { statusCode: status } = response;
    const headers = joinHeaders(response.headers);
    watch.answered(status, headers);
    const body = decoded(response.body, headers);
    if (status < 200 || status >= 300) {
      const page = await readPage(body, watch, setup.clock);
      throw adaptable(classifyStatus(status, page, headers, setup), { page, written, sent }, setup.endpoint);
    }
    const type = headers['content-type']?.toLowerCase() ?? '';
    const stream = readWireBody(body, watch, {
      modelId: setup.modelId,
      clock: setup.clock,
      type,
      maxBytes: setup.maxResponseBytes,
      lost: (error) => lost(error, watch, setup),
      wholeReply: wholeReplyAsEvents,
      notAStream: (text) => notAStream(text, { type, status, headers }, setup),
    });
    return new Response(NO_BODY.has(status) ? null : stream, { status, headers });
  };
}

/** The SDK adds tokens for thinking to the maximum: no more than the ledger reserved may be asked for. */
function reserved(written: string, maxOutputTokens: number): string {
  if (!written.includes('"thinking"')) return written;
  const body = parseBody(written);
  return body === undefined ? written : JSON.stringify(withinReserve(body, maxOutputTokens));
}

interface Refused {
  readonly page: string;
  /** The body as the SDK wrote it, and as it was sent. */
  readonly written: string | undefined;
  readonly sent: string | undefined;
}

/** An error that says which part of the request the endpoint refuses: the request can be sent again in another form. */
function adaptable(error: ModelError, { page, written, sent }: Refused, endpoint: Endpoint): ModelError {
  if (error.fault !== 'bad-request' && error.fault !== 'context-length' && error.fault !== 'refused') return error;
  const body = sent === undefined ? undefined : parseBody(sent);
  if (written === undefined || body === undefined) return error;
  const adaptation = readRefusal(readProviderAnswer(page), body);
  if (adaptation === undefined) return error;
  const isNew = endpoint.learn(adaptation);
  // Another call may have learned it since this one was sent.
  const helps =
    isNew || adaptation.kind === 'window' || adaptation.kind === 'max-output' || endpoint.adapt(written) !== sent;
  return helps ? error.with({ adaptation, retryable: true, data: { adaptationIsNew: isNew } }) : error;
}

function withQuery(url: string, query: string): string {
  if (query === '') return url;
  return url.includes('?') ? `${url}&${query.slice(1)}` : `${url}${query}`;
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

/** The body without its encodings. The headers then no longer name one. */
function decoded(body: Readable, headers: HeaderRecord): Readable {
  const encodings = headers['content-encoding']?.toLowerCase().split(',') ?? [];
  // Applied in the order they are listed in (RFC 9110 §8.4), so undone from the last.
  const makers = encodings.reverse().map((encoding) => DECODERS[encoding.trim()]);
  const decoders = makers.filter((make) => make !== undefined).map((make) => make());
  const last = decoders.at(-1);
  if (last === undefined || decoders.length < makers.length) return body;
  delete headers['content-encoding'];
  delete headers['content-length'];
  // Errors of any of them come out at the last.
  pipeline([body, ...decoders], () => {});
  return last;
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: createInflate,
};

interface Answer {
  readonly type: string;
  readonly status: number;
  readonly headers: HeaderRecord;
}

function notAStream(text: string, { type, status, headers }: Answer, setup: WireSetup): ModelError {
  const answer = readProviderAnswer(text);
  if (answer !== undefined) return classifyStatus(status, text, headers, setup);
  if (isWebPage(text)) return webPage(text, status, setup);
  const quoted = setup.redact(text).replace(/\s+/g, ' ').trim().slice(0, PAGE_CHARS);
  const what = type === '' || EVENT_STREAM.test(type) ? 'something else' : (type.split(';')[0] ?? type);
  return new ModelError({
    fault: 'not-an-api',
    message: `${setup.modelId} answered with ${what} instead of an event stream: ${quoted}`,
    httpStatus: status,
    // A whole reply in one piece, from a server that does not stream, was made and may be charged for.
    possiblyBilled: text.trimStart().startsWith('{'),
    data: { page: quoted },
  });
}

function lost(error: unknown, watch: AttemptWatch, setup: WireSetup): ModelError {
  return (
    classifyNetworkError(error, setup, watch.wire) ??
    new ModelError({
      fault: 'truncated',
      message: `The reply of ${setup.modelId} broke off: ${setup.redact(String(error))}`,
      possiblyBilled: true,
    })
  );
}
