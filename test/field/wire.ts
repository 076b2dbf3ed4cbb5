import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message as a server hands it out, or an error body with its status. */
export type WireReply =
  | { readonly message: Readonly<Record<string, unknown>>; readonly finish?: string; readonly promptTokens?: number }
  | { readonly status: number; readonly error: Readonly<Record<string, unknown>> };

/** A request body as it came. */
export interface WireRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [field: string]: unknown;
}

export interface Wire {
  /** The reference of its model. */
  readonly ref: string;
  readonly requests: readonly WireRequest[];
  readonly close: () => Promise<void>;
}

/** A server that speaks `/v1/chat/completions` and answers with whole JSON bodies. */
export async function startWire(respond: (request: WireRequest, index: number) => WireReply): Promise<Wire> {
  const requests: WireRequest[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      // Fathom asks a local server for its window first.
      if (request.method !== 'POST' || request.url?.endsWith('/chat/completions') !== true) {
        response.writeHead(404).end();
        return;
      }
      const body = JSON.parse(Buffer.concat(pieces).toString('utf8')) as WireRequest;
      requests.push(body);
      send(response, respond(body, requests.length - 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ref: `http://127.0.0.1:${port}/v1#m`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, reply: WireReply): void {
  if ('status' in reply) {
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: reply.error }));
    return;
  }
  const { message, finish = 'stop', promptTokens = 50 } = reply;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
      usage: { prompt_tokens: promptTokens, completion_tokens: 9, total_tokens: promptTokens + 9 },
    }),
  );
}
