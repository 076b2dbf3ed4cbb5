import type { buildConnector, Dispatcher } from 'undici';

/** Milliseconds for a TCP and TLS handshake. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Milliseconds an idle connection is kept: a REPL turn lies between two calls of the same completion. */
const KEEP_ALIVE_MS = 60_000;
/** A local model server is never behind the proxy. */
const NEVER_PROXIED = 'localhost,127.0.0.1,::1';

/**
 * Calls at a time over one pool. For each connection that closes, and each request, undici looks through all connections
 * of its pool: a thousand calls of one pool that are cancelled cost a million looks.
 */
const CALLS_PER_POOL = 64;

type Connector = buildConnector.connector;
type Request = typeof import('undici').request;
type RequestOptions = Omit<NonNullable<Parameters<Request>[1]>, 'dispatcher'>;

/** The connections that requests are sent over. */
export interface Connections {
  /** Sends a request and resolves with its response, whose body is to be read to its end or destroyed. */
  request(url: string, options: RequestOptions): Promise<Dispatcher.ResponseData<unknown>>;
}

let opening: Promise<Connections> | undefined;

/**
 * The process's connections, opened on first use: as many per host as there are calls in flight; idle ones do not keep
 * the process alive. `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured.
 */
export function openConnections(): Promise<Connections> {
  opening ??= connect();
  return opening;
}

/** Errors of TLS handshakes. */
const handshakes = new WeakSet<Error>();

/** True for the error of a connection whose TLS handshake failed: nothing was sent over it. */
export function failedHandshake(error: Error): boolean {
  return handshakes.has(error);
}

/** Distinguishes failed handshakes from lost connections: a reset has the same code in both. */
function noting(connector: Connector): Connector {
  return (options, callback) =>
    connector(options, (...[error, socket]) => {
      if (error === null) return callback(null, socket);
      if (options.protocol === 'https:') handshakes.add(error);
      callback(error, null);
    });
}

async function connect(): Promise<Connections> {
  const { buildConnector, EnvHttpProxyAgent, request } = await import('undici');
  const noProxy = process.env.no_proxy ?? process.env.NO_PROXY;
  const openPool = (): Dispatcher =>
    new EnvHttpProxyAgent({
      noProxy: noProxy ? `${noProxy},${NEVER_PROXIED}` : NEVER_PROXIED,
      connect: noting(buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false })),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // One call per connection: a reset then costs one call, not all that share a multiplexed connection.
      allowH2: false,
      pipelining: 1,
      // Silence is watched per attempt, bytes and all.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  return shareOut(openPool, request);
}

/** Shares requests out among pools. Calls one after the other go over the first, and so over the same connection. */
export function shareOut(openPool: () => Dispatcher, request: Request): Connections {
  const pools: { readonly dispatcher: Dispatcher; calls: number }[] = [];
  const withRoom = (): (typeof pools)[number] => {
    let pool = pools.find(({ calls }) => calls < CALLS_PER_POOL);
    if (pool === undefined) {
      pool = { dispatcher: openPool(), calls: 0 };
      pools.push(pool);
    }
    return pool;
  };
  return {
    async request(url, options) {
      const pool = withRoom();
      const ended = (): void => {
        pool.calls -= 1;
      };
      pool.calls += 1;
      try {
        const response = await request(url, { ...options, dispatcher: pool.dispatcher });
        // A response that ended in the same packet as its headers has closed already.
        if (response.body.closed) ended();
        else response.body.once('close', ended);
        return response;
      } catch (error) {
        ended();
        throw error;
      }
    },
  };
}
