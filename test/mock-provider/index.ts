/**
 * A model provider on loopback for tests and demos: speaks the streaming wire formats of OpenAI (both APIs), Anthropic
 * and Google over real sockets, keeps its own account, and goes wrong on demand.
 *
 * @example
 * ```ts
 * const mock = await startMockProvider({ respond: ({ prompt }) => `You said: ${prompt}` });
 * resolveModel('openai/gpt-5', { env: mock.env });
 * await mock.close();
 * ```
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropic } from './formats/anthropic.ts';
import { google } from './formats/google.ts';
import { openaiChat } from './formats/openai-chat.ts';
import { openaiResponses } from './formats/openai-responses.ts';
import type { Format, MockAnswer, MockCall, MockReply, MockRequest, MockResponder, MockUsage } from './mock-types.ts';
import type { ServerProfile } from './profiles.ts';
import { createTokenBucket, type RateLimit } from './token-bucket.ts';
import { pause, sendAnswer, sendFault } from './transmit.ts';

export type * from './mock-types.ts';
export type { RateLimit } from './token-bucket.ts';

/** Options of {@link startMockProvider}. */
export interface MockProviderOptions {
  readonly respond: MockResponder;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Address to listen at. Default 127.0.0.1. */
  readonly host?: string;
  readonly rateLimit?: RateLimit;
  /** Answers as one kind of server does, faults included. */
  readonly profile?: ServerProfile;
}

/** A running mock provider. */
export interface MockProvider {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Environment variables that lead every provider here, keys included. */
  readonly env: Readonly<Record<string, string>>;
  readonly calls: readonly MockCall[];
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** Sums over all calls: what a provider's bill would say. */
  readonly billed: MockUsage;
  /** Answers differently from now on. */
  respondWith(respond: MockResponder): void;
  /** Resolves as soon as so many calls have come in all. */
  hasSeen(calls: number): Promise<void>;
  close(): Promise<void>;
}

const FORMATS: readonly Format[] = [openaiChat, openaiResponses, anthropic, google];
const NOTHING: MockUsage = { inputTokens: 0, outputTokens: 0 };

/** The key the mock's environment holds; no message may ever show it. */
export const MOCK_KEY = 'sk-mock-0123456789abcdef';

/** Starts the mock on 127.0.0.1. */
export async function startMockProvider(options: MockProviderOptions): Promise<MockProvider> {
  const { host = '127.0.0.1' } = options;
  const desk: Desk = {
    respond: options.respond,
    calls: [],
    bucket: options.rateLimit === undefined ? undefined : createTokenBucket(options.rateLimit),
    profile: options.profile,
    inFlight: 0,
    maxInFlight: 0,
    waiting: new Set(),
  };
  const server = createServer((incoming, response) => {
    desk.inFlight += 1;
    desk.maxInFlight = Math.max(desk.maxInFlight, desk.inFlight);
    response.once('close', () => {
      desk.inFlight -= 1;
    });
    serve(desk, incoming, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500).end(`mock provider: ${String(error)}`);
      else response.destroy();
    });
  });
  // Unlike Node's default of 5 s, longer than any client keeps a connection: no race at its end.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, host, resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    env: environment(url),
    calls: desk.calls,
    get inFlight() {
      return desk.inFlight;
    },
    get maxInFlight() {
      return desk.maxInFlight;
    },
    get billed() {
      return bill(desk.calls);
    },
    respondWith(next) {
      desk.respond = next;
    },
    hasSeen: (goal) =>
      new Promise((resolve) => {
        desk.waiting.add({ goal, resolve });
        notify(desk);
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Desk {
  respond: MockResponder;
  readonly calls: MockCall[];
  readonly bucket: ReturnType<typeof createTokenBucket> | undefined;
  readonly profile: ServerProfile | undefined;
  inFlight: number;
  maxInFlight: number;
  readonly waiting: Set<{ readonly goal: number; readonly resolve: () => void }>;
}

function notify({ calls, waiting }: Desk): void {
  for (const wait of waiting) {
    if (calls.length < wait.goal) continue;
    waiting.delete(wait);
    wait.resolve();
  }
}

async function serve(desk: Desk, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = incoming.url ?? '/';
  const format = FORMATS.find((candidate) => candidate.matches(path.split('?')[0] ?? path));
  if (format === undefined || incoming.method !== 'POST') {
    const fact = desk.profile?.facts(path.split('?')[0] ?? path, 'recorded');
    if (fact !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(fact));
      return;
    }
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no such path"}}');
    return;
  }
  const body = JSON.parse(await readBody(incoming)) as Record<string, unknown>;
  const { calls, bucket } = desk;
  const { headers } = incoming;
  const request = { ...format.read(path, body), format: format.format, index: calls.length, headers, body };
  const call: MockCall = { request, usage: NOTHING, status: 200, outcome: 'fault', at: Date.now() };
  calls.push(call);
  notify(desk);
  if (bucket === undefined || bucket.take()) {
    const reply = desk.profile?.refuse(request, incoming) ?? shaped(desk, await desk.respond(request), request);
    await answer(format, call, reply, response, bucket?.headers() ?? {});
    return;
  }
  call.status = 429;
  call.outcome = 'rate-limited';
  const error = { message: 'Rate limit reached', type: 'rate_limit_error' };
  const limits = { ...bucket.headers(), ...bucket.retryHeaders() };
  await sendFault(format, { fault: 'status', status: 429, error, headers: limits }, request, response);
}

function shaped({ profile }: Desk, reply: MockReply, request: MockRequest): MockReply {
  if (profile === undefined || (typeof reply === 'object' && 'fault' in reply)) return reply;
  return profile.shape(typeof reply === 'string' ? { text: reply } : reply, request);
}

function bill(calls: readonly MockCall[]): MockUsage {
  return {
    inputTokens: calls.reduce((sum, { usage }) => sum + usage.inputTokens, 0),
    outputTokens: calls.reduce((sum, { usage }) => sum + usage.outputTokens, 0),
  };
}

async function answer(
  format: Format,
  call: MockCall,
  reply: MockReply,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { request } = call;
  if (typeof reply === 'object' && 'fault' in reply) {
    if (reply.fault === 'status') call.status = reply.status;
    return sendFault(format, reply, request, response);
  }
  const given: MockAnswer = typeof reply === 'string' ? { text: reply } : reply;
  const usage = given.usage === undefined ? estimate(request, given) : given.usage;
  if (given.latencyMs !== undefined) await pause(given.latencyMs, response);
  call.outcome = response.destroyed ? 'client-gone' : 'replied';
  call.usage = usage ?? NOTHING;
  if (!response.destroyed) await sendAnswer(format, { ...given, usage }, request, response, headers);
}

function estimate(request: MockRequest, reply: MockAnswer): MockUsage {
  const sent = request.messages.reduce((sum, { content }) => sum + content.length, request.system.length);
  return { inputTokens: 8 + Math.ceil(sent / 4), outputTokens: 1 + Math.ceil(reply.text.length / 4) };
}

function environment(url: string): Record<string, string> {
  return {
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: MOCK_KEY,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: MOCK_KEY,
    GOOGLE_GENERATIVE_AI_BASE_URL: url,
    GOOGLE_GENERATIVE_AI_API_KEY: MOCK_KEY,
    OPENAI_COMPATIBLE_BASE_URL: `${url}/v1`,
    OLLAMA_HOST: url,
    OPENROUTER_BASE_URL: `${url}/api/v1`,
    OPENROUTER_API_KEY: MOCK_KEY,
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
