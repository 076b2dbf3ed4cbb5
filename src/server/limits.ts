/**
 * Limits of the server: what one client may hold of it.
 *
 * @module
 */

import { RlmError } from '../errors.ts';

const MIB = 1024 * 1024;

/** Limits of requests and connections, for every server of HTTP. */
export interface HttpLimits {
  /** Bytes of one request's body. Default 32 MiB: a book is 1 MiB; larger contexts belong in files beside the server. */
  readonly bodyBytes: number;
  /** Bytes of all bodies that are being read at once; further requests are refused with 429. Default 256 MiB: eight of the largest. */
  readonly openBodyBytes: number;
  /** Milliseconds to the end of a request's headers. Default 10 000: more is a slow attack, not a slow network. */
  readonly headerTimeoutMs: number;
  /** Milliseconds to the end of a request's body, from its first byte. Default 60 000: 32 MiB at 5 Mbit/s. */
  readonly bodyTimeoutMs: number;
  /** Connections at once. Default 4 096: below the usual limit of descriptors, REPLs included. */
  readonly maxConnections: number;
  /** Milliseconds of silence in a stream before a comment is sent. Default 15 000: proxies close silent connections after 30 to 60 s. */
  readonly keepAliveMs: number;
}

/** Every limit of a server. Callers give a part; the rest takes {@link SERVER_LIMITS}. */
export interface ServerLimits extends HttpLimits {
  /** Runs of one key at once, waiting ones included. Default 64: twice the calls that one run has in flight. */
  readonly maxRunsPerKey: number;
  /** Milliseconds that runs have to stop at shutdown. Default 10 000, as process managers give. */
  readonly shutdownMs: number;
}

/** The defaults; each is explained at its field in {@link HttpLimits}. */
export const HTTP_LIMITS: HttpLimits = {
  bodyBytes: 32 * MIB,
  openBodyBytes: 256 * MIB,
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 60_000,
  maxConnections: 4_096,
  keepAliveMs: 15_000,
};

/** The defaults; each is explained at its field in {@link ServerLimits}. */
export const SERVER_LIMITS: ServerLimits = {
  ...HTTP_LIMITS,
  maxRunsPerKey: 64,
  shutdownMs: 10_000,
};

/** Milliseconds after which a client that has too many runs may ask again: runs take seconds. */
export const TOO_MANY_RUNS_RETRY_MS = 1_000;

/** Characters of an answer in one event of a stream: small enough for slow readers, large enough to cost nothing. */
export const ANSWER_PIECE_CHARS = 16_384;

/** Runs or sessions in one list, newest first. */
export const PAGE_ITEMS = 100;

/** Milliseconds that a browser's session lasts: a week of work on one page. */
export const PAGE_SESSION_MS: number = 7 * 86_400_000;
/** Sessions of browsers at once; the oldest gives way. */
export const PAGE_SESSIONS = 1_000;
/** Trees of runs that are kept for pages at once: two are compared, and one is behind them. */
export const PAGE_CACHE_RUNS = 3;
/** Milliseconds that a tree is kept: a page asks for its parts within seconds. */
export const PAGE_CACHE_MS = 120_000;
/** Milliseconds that the tree of a run at work is kept: the requests of one look share it. */
export const PAGE_LIVE_MS = 250;

/** The limits with their defaults. @throws RlmError `invalid-limit` for one that is unknown or not a whole number from 1 */
export function withDefaults<T extends HttpLimits>(given: Partial<T>, defaults: T): T {
  for (const [limit, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, limit)) {
      throw invalidLimit(limit, `it is not a limit of the server, which are ${Object.keys(defaults).join(', ')}`);
    }
    if (!Number.isSafeInteger(value) || Number(value) < 1)
      throw invalidLimit(limit, 'it must be a whole number from 1');
  }
  return { ...defaults, ...given };
}

function invalidLimit(limit: string, why: string): RlmError {
  return new RlmError({
    code: 'invalid-limit',
    message: `The server's limit ${limit} is not valid: ${why}.`,
    userAction: true,
    data: { limit },
  });
}
