import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../errors.ts';

/** The metrics of a process, on loopback. */
export interface MetricsServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves `GET /metrics` on 127.0.0.1. @throws the system's error when it cannot listen */
export async function serveMetrics(port: number, metrics: () => Promise<string>): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: unknown) => response.writeHead(503, { 'content-type': 'text/plain' }).end(messageOf(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}/metrics`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
