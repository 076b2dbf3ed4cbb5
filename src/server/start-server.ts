import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { readableFolders } from '../door/paths.ts';
import { createApp } from './app.ts';
import { HttpProblem } from './http-problem.ts';
import { ServerMetrics } from './metrics.ts';
import { RunDesk } from './run-desk.ts';
import { type ServerConfig, type ServerOptions, serverConfig } from './server-options.ts';

/** A server that listens. */
export interface FathomServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8000`, without a slash at the end. */
  readonly url: string;
  /**
   * Stops taking requests, pauses its own runs, cancels those of connections, and closes. A server that is started again
   * on the same store continues the paused runs. The `Rlm` and the store stay open.
   */
  close(): Promise<void>;
}

/**
 * Serves an `Rlm` over HTTP, with the API of OpenAI and one of its own. When it resolves, runs that an earlier server left on
 * the store have been resumed.
 *
 * @example
 * ```ts
 * const store = sqliteStore('.fathom');
 * await using rlm = createRlm({ model: 'openai/gpt-5', store });
 * await using server = await startServer({ rlm, store, port: 8000 });
 * ```
 * @throws RlmError `invalid-option`, `invalid-limit` for options that cannot be right; the system's error when it cannot listen
 */
export async function startServer(options: ServerOptions): Promise<FathomServer> {
  const config = serverConfig(options);
  const metrics = new ServerMetrics(config.rlm);
  const runs = new RunDesk(config, (end) => metrics.runEnded(end));
  const { folders: given, store } = config;
  // The store holds what other clients asked.
  const readable = { folders: given, except: store.location === 'memory' ? [] : [store.location] };
  const folders = given.length === 0 ? undefined : await readableFolders(readable);
  const app = createApp({ config, runs, metrics, folders });
  const server = httpServer(
    config,
    getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: malformed }),
  );
  server.listen(config.port, config.host);
  // Rejects with the error where it cannot listen.
  await once(server, 'listening');
  try {
    await runs.recover();
  } catch (error) {
    server.close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closeServer(server, runs);
    return closed;
  };
  return { url: urlOf(server), close, [Symbol.asyncDispose]: close };
}

async function closeServer(server: Server, runs: RunDesk): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await runs.stop();
  // Responses of runs that have just ended are written; then streams of runs that still work are cut.
  await new Promise((resolve) => setImmediate(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS);
  await closed;
  clearTimeout(timer);
}

/** Milliseconds for clients to read the end of their responses at shutdown. */
const CLOSING_MS = 1_000;

function httpServer({ limits }: ServerConfig, listener: ReturnType<typeof getRequestListener>): Server {
  const { headerTimeoutMs, bodyTimeoutMs, maxConnections } = limits;
  const timeouts = {
    headersTimeout: headerTimeoutMs,
    requestTimeout: headerTimeoutMs + bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, headerTimeoutMs, bodyTimeoutMs),
  };
  const server = createServer({ ...timeouts, keepAliveTimeout: 65_000 }, (request, response) => {
    // Its own handler answers failures; a rejection here is a connection that has gone.
    listener(request, response).catch(() => response.destroy());
  });
  server.maxConnections = maxConnections;
  server.on('clientError', refuse);
  return server;
}

/** Answers a request whose URL or Host no program would send. */
function malformed(): Response {
  const problem = new HttpProblem('malformed-request', 'The URL or the Host header of the request is not valid.');
  return Response.json(problem.body, { status: problem.status });
}

/** Answers what is not a whole HTTP request, in the envelope of every other refusal. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error);
  const body = JSON.stringify(problem.body);
  const head = `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Bad Request'}\r\nContent-Type: application/json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

const REASONS: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function problemOf({ code }: NodeJS.ErrnoException): HttpProblem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new HttpProblem('slow-request', 'The request took too long (headerTimeoutMs, bodyTimeoutMs).');
  }
  if (code === 'HPE_HEADER_OVERFLOW') return new HttpProblem('headers-too-large', 'The headers are too large.');
  return new HttpProblem('malformed-request', 'This is not an HTTP request.');
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
