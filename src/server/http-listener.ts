import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { HttpProblem } from './http-problem.ts';
import type { HttpLimits } from './limits.ts';

/** A server of HTTP that listens. */
export interface HttpListener {
  /** Such as `http://127.0.0.1:8000`, without a slash at the end. */
  readonly url: string;
  /** Takes no further connection, waits for `stop`, lets clients read the end of their responses, and closes. */
  close(stop: () => Promise<void>): Promise<void>;
}

/** Answers requests. */
type Application = Parameters<typeof getRequestListener>[0];

/** Where a server listens, and what it takes. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly limits: HttpLimits;
}

/** Serves an application. Rejects with the system's error where it cannot listen. */
export async function listen(fetch: Application, { host, port, limits }: Listening): Promise<HttpListener> {
  const server = httpServer(
    limits,
    getRequestListener(fetch, { overrideGlobalObjects: false, errorHandler: malformed }),
  );
  server.listen(port, host);
  await once(server, 'listening');
  return { url: urlOf(server), close: (stop) => closeServer(server, stop) };
}

async function closeServer(server: Server, stop: () => Promise<void>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await stop();
  // Responses of runs that have just ended are written; then streams of runs that still work are cut.
  await new Promise((resolve) => setImmediate(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS);
  await closed;
  clearTimeout(timer);
}

/** Milliseconds for clients to read the end of their responses at shutdown. */
const CLOSING_MS = 1_000;

function httpServer(limits: HttpLimits, listener: ReturnType<typeof getRequestListener>): Server {
  const { headerTimeoutMs, bodyTimeoutMs, maxConnections } = limits;
  const timeouts = {
    headersTimeout: headerTimeoutMs,
    requestTimeout: headerTimeoutMs + bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, headerTimeoutMs, bodyTimeoutMs),
  };
  const answer: RequestListener = (request, response) => {
    // Its own handler answers failures; a rejection here is a connection that has gone.
    listener(request, response).catch(() => response.destroy());
  };
  // Without a Host header `malformed` answers: Node's own refusal has no body.
  const server = createServer({ ...timeouts, keepAliveTimeout: 65_000, requireHostHeader: false }, answer);
  // Expectations other than 100-continue mean nothing here. Node would refuse them without a body.
  server.on('checkExpectation', answer);
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
