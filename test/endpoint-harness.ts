/** Servers on loopback that differ from the protocol's letter, and calls of them through the ledger and rate control. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { createLedger } from '../src/ledger/index.ts';
import {
  callModel,
  createRateControl,
  type Model,
  ModelError,
  type ModelReply,
  resolveModel,
} from '../src/model/index.ts';

export type Body = Record<string, unknown>;
export type Respond = (body: Body, request: IncomingMessage, response: ServerResponse) => void;

export const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

export interface Endpoint {
  readonly url: string;
  readonly bodies: Body[];
  readonly urls: string[];
}

/** A server whose GETs and `/api/*` are answered by `facts`, and whose completions by `respond`. */
export async function serve(respond: Respond, facts: Readonly<Record<string, unknown>> = {}): Promise<Endpoint> {
  const bodies: Body[] = [];
  const urls: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (request.method === 'GET' || path.startsWith('/api/show')) {
      const fact = facts[path];
      response.writeHead(fact === undefined ? 404 : 200).end(JSON.stringify(fact ?? {}));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      bodies.push(body);
      urls.push(request.url ?? '');
      respond(body, request, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, urls };
}

export function whole(text: string, more: object = {}): string {
  const choice = { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' };
  const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
  return JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [choice],
    usage,
    ...more,
  });
}

export function stream(
  response: ServerResponse,
  deltas: readonly object[],
  { finish = 'stop', usage = {}, choice = {} }: { finish?: string; usage?: object; choice?: object } = {},
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (data: object): void =>
    void response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...data })}\n\n`,
    );
  for (const delta of deltas) send({ choices: [{ index: 0, delta, finish_reason: null }] });
  send({ choices: [{ index: 0, delta: {}, finish_reason: finish, ...choice }] });
  send({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15, ...usage } });
  response.end('data: [DONE]\n\n');
}

export function refuse(response: ServerResponse, error: object, status = 400): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

export interface Outcome {
  readonly reply: ModelReply | undefined;
  readonly error: ModelError | undefined;
  readonly attempts: number;
  readonly costUsd: number | null;
}

export async function call(
  model: Model,
  {
    prompt = 'How many?',
    maxOutputTokens = 16_384,
    maxCostUsd,
  }: { prompt?: string; maxOutputTokens?: number; maxCostUsd?: number } = {},
): Promise<Outcome> {
  const ledger = createLedger({
    limits: maxCostUsd === undefined ? {} : { maxCostUsd },
    clock: systemClock,
    onWarning: () => {},
  });
  const tree = createRateControl({ clock: systemClock }).openTree({ maxConcurrentCalls: 4 });
  let attempts = 0;
  try {
    const reply = await callModel({
      model,
      request: { messages: [{ role: 'user', content: prompt }], maxOutputTokens },
      account: ledger.account({ kind: 'sub' }),
      gate: tree.lane(),
      clock: systemClock,
      deadline: Number.POSITIVE_INFINITY,
      limits: { callTimeoutMs: 10_000, callIdleTimeoutMs: 5_000 },
      signal: new AbortController().signal,
      retry: { baseMs: 10, capMs: 20 },
      onAttempt: () => void attempts++,
    });
    return { reply, error: undefined, attempts, costUsd: ledger.usage().costUsd };
  } catch (error) {
    if (!ModelError.isInstance(error)) throw error;
    return { reply: undefined, error, attempts, costUsd: ledger.usage().costUsd };
  } finally {
    ledger.close();
  }
}

export const at = (endpoint: Endpoint, path = '/v1', model = 'm'): Model =>
  resolveModel(`${endpoint.url}${path}#${model}`, { env: {} });
