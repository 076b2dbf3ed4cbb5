import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { messageOf, RlmError } from '../../errors.ts';
import { type FileCopy, type KeepCopy, piecesOf } from '../copies.ts';
import { FETCH_BYTES, FETCH_MS, FETCH_REDIRECTS } from '../source-limits.ts';
import { type Access, checkedLookup, checkUrl, PUBLIC_INTERNET, refused, shownUrl } from './checked-address.ts';
import { mediaTypeOf, nameFor } from './media-types.ts';

/** One fetch. */
export interface FetchRequest {
  readonly url: string;
  readonly keep: KeepCopy;
  /** Most bytes, after decompression. Default {@link FETCH_BYTES}. */
  readonly fetchBytes?: number;
  /** Milliseconds. Default {@link FETCH_MS}. */
  readonly timeoutMs?: number;
  /** Whether a text in another encoding becomes UTF-8. Default true. */
  readonly asUtf8?: boolean;
  readonly signal?: AbortSignal;
  /** Default: the public internet. */
  readonly access?: Access;
}

/** A file that a server gave. */
export interface FetchedFile extends FileCopy {
  /** Host and path, with the end that its media type asks for: `example.com/report.csv`. */
  readonly name: string;
}

/**
 * Fetches a URL into a private copy. No cookie, password or header of the caller is sent, and no proxy is used: a proxy would
 * choose the address.
 *
 * @throws RlmError `fetch-refused` before anything is sent, `fetch-failed`
 */
export async function fetchFile(request: FetchRequest): Promise<FetchedFile> {
  const { url, signal, timeoutMs = FETCH_MS, access = PUBLIC_INTERNET } = request;
  const first = checkUrl(url, access);
  const { Agent, request: send } = await import('undici');
  const agent = new Agent({ allowH2: false, connect: { lookup: checkedLookup(access), timeout: timeoutMs } });
  const time = AbortSignal.timeout(timeoutMs);
  const within = signal === undefined ? time : AbortSignal.any([signal, time]);
  try {
    const ask = (at: URL): Promise<Response> =>
      send(at, { dispatcher: agent, headers: HEADERS, signal: within, headersTimeout: 0, bodyTimeout: 0 });
    const response = await followed(first, ask, access);
    const { type, charset } = mediaTypeOf(headerOf(response, 'content-type'));
    const copy = await request.keep(contentOf(response, request), within);
    const plain = charset !== undefined && request.asUtf8 !== false && isTextual(type);
    const kept = plain ? await inUtf8(copy, charset, request.keep) : copy;
    return { ...kept, name: nameFor(nameOf(first), type) };
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    const why = `it took over ${timeoutMs} ms`;
    throw time.aborted ? failed({ url: shownUrl(first), why, retryable: true }) : whyFailed(first, error);
  } finally {
    await agent.destroy();
  }
}

type Response = Dispatcher.ResponseData<unknown>;

const HEADERS = { 'user-agent': 'fathom-rlm', accept: '*/*', 'accept-encoding': 'identity' } as const;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** The first response that is not a redirect. Each redirect is checked as the first URL was. */
async function followed(first: URL, ask: (url: URL) => Promise<Response>, access: Access): Promise<Response> {
  let at = first;
  for (let redirects = 0; ; redirects += 1) {
    const response = await ask(at);
    const { statusCode } = response;
    const location = headerOf(response, 'location');
    if (!REDIRECTS.has(statusCode) || location === undefined) {
      if (statusCode === 200 || statusCode === 203) return response;
      const why = `the server answered with status ${statusCode}`;
      throw failed({ url: shownUrl(at), why, retryable: isPassing(statusCode), data: { status: statusCode } });
    }
    await response.body.dump();
    if (redirects >= FETCH_REDIRECTS)
      throw refused(shownUrl(first), `it has more than ${FETCH_REDIRECTS} redirects, the last to ${location}`);
    at = checkUrl(location, access, at);
  }
}

function isPassing(status: number): boolean {
  return status >= 500 || PASSING.has(status);
}

function headerOf({ headers }: Response, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The body as the server means it, up to the limit. */
async function* contentOf(response: Response, request: FetchRequest): AsyncGenerator<Uint8Array> {
  const { url, fetchBytes = FETCH_BYTES } = request;
  const announced = Number(headerOf(response, 'content-length') ?? 0);
  if (announced > fetchBytes) throw tooLarge(url, fetchBytes);
  const coding = (headerOf(response, 'content-encoding') ?? 'identity').trim().toLowerCase();
  const body = bounded(response.body, { url, most: fetchBytes });
  if (coding === 'identity' || coding === '') return yield* body;
  const open = DECODERS[coding];
  if (open === undefined) throw failed({ url, why: `its content encoding ${coding} is unknown` });
  const { pipeline } = await import('node:stream');
  // Its errors arrive where the last stream is read.
  const opened = pipeline(body, open(), () => undefined);
  yield* bounded(opened, { url, most: fetchBytes });
}

const DECODERS: Readonly<Partial<Record<string, () => NodeJS.ReadWriteStream>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

async function* bounded(
  pieces: AsyncIterable<Uint8Array | string>,
  { url, most }: { readonly url: string; readonly most: number },
): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    passed += bytes.length;
    if (passed > most) throw tooLarge(url, most);
    yield bytes;
  }
}

function isTextual(type: string): boolean {
  return type.startsWith('text/') || /[/+](?:xml|json)$/.test(type);
}

/** A text whose server names its encoding, as UTF-8; one that is UTF-8 whatever its server says stays as it is. */
async function inUtf8(copy: FileCopy, charset: string, keep: KeepCopy): Promise<FileCopy> {
  const decoder = decoderOf(charset);
  if (decoder === undefined || decoder.encoding === 'utf-8' || (await isUtf8(copy))) return copy;
  const encoder = new TextEncoder();
  const kept = await keep(
    (async function* () {
      for await (const piece of piecesOf(copy)) yield encoder.encode(decoder.decode(piece, { stream: true }));
      yield encoder.encode(decoder.decode());
    })(),
  );
  await copy.dispose();
  return kept;
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined; // A name that is not an encoding: the text is looked at as any other.
  }
}

async function isUtf8(copy: FileCopy): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const piece of piecesOf(copy)) decoder.decode(piece, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function nameOf({ host, pathname }: URL): string {
  const path = pathname.endsWith('/') ? `${pathname}index` : pathname;
  try {
    return host + decodeURIComponent(path);
  } catch {
    return host + path;
  }
}

function tooLarge(url: string, most: number): RlmError {
  const why = `it has more than ${most} bytes (fetchBytes): raise that limit, or save a part of it to a file`;
  return failed({ url, why, data: { limitName: 'fetchBytes', limit: most } });
}

function whyFailed(url: URL, error: unknown): Error {
  const { cause } = error as { readonly cause?: unknown };
  const known = RlmError.isInstance(error) ? error : RlmError.isInstance(cause) ? cause : undefined;
  if (known !== undefined) return known;
  const { code, name } = error as NodeJS.ErrnoException;
  if (!NETWORK.test(`${code ?? ''} ${name}`)) return error as Error;
  const why = messageOf(error) || (code ?? 'the connection failed');
  return failed({ url: shownUrl(url), why, retryable: true, cause: error });
}

/** Codes and names of errors of sockets, TLS, look-ups, undici and zlib. */
const NETWORK =
  /^(?:E[A-Z]+ |UND_ERR|HPE_|CERT_|ERR_TLS|ERR_SSL|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|Z_|ERR_)|AggregateError/;

function failed(failure: {
  readonly url: string;
  /** A clause. */
  readonly why: string;
  readonly retryable?: boolean;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}): RlmError {
  const { url, why, retryable = false, data, cause } = failure;
  const message = `${url} could not be fetched: ${why}.`;
  return new RlmError({ code: 'fetch-failed', message, retryable, data: { url, ...data }, cause });
}
