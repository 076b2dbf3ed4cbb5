import type { Dispatcher } from 'undici';

/** Milliseconds for a TCP and TLS handshake. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Milliseconds an idle connection is kept: a REPL turn lies between two calls of the same completion. */
const KEEP_ALIVE_MS = 60_000;
/** A local model server is never behind the proxy. */
const NEVER_PROXIED = 'localhost,127.0.0.1,::1';

/** What requests are sent with. */
export interface Connections {
  readonly request: typeof import('undici').request;
  readonly dispatcher: Dispatcher;
}

let opening: Promise<Connections> | undefined;

/**
 * The process's connection pool, opened on first use. It holds as many connections per host as there are calls in
 * flight; idle ones do not keep the process alive. `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured.
 */
export function openConnections(): Promise<Connections> {
  opening ??= connect();
  return opening;
}

async function connect(): Promise<Connections> {
  const { EnvHttpProxyAgent, request } = await import('undici');
  const noProxy = process.env.no_proxy ?? process.env.NO_PROXY;
  const dispatcher = new EnvHttpProxyAgent({
    noProxy: noProxy ? `${noProxy},${NEVER_PROXIED}` : NEVER_PROXIED,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // One call per connection: a reset then costs one call, not all that share a multiplexed connection.
    allowH2: false,
    pipelining: 1,
    // Silence is watched per attempt, bytes and all.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return { request, dispatcher };
}
