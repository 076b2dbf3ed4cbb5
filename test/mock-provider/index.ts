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
import { createTokenBucket, type RateLimit } from './token-bucket.ts';
import { pause, sendAnswer, sendFault } from './transmit.ts';

export type * from './mock-types.ts';
export type { RateLimit } from './token-bucket.ts';

/** Options of {@link startMockProvider}. */
export interface MockProviderOptions {
  readonly respond: MockResponder;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly rateLimit?: RateLimit;
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
  close(): Promise<void>;
}

const FORMATS: readonly Format[] = [openaiChat, openaiResponses, anthropic, google];
const NOTHING: MockUsage = { inputTokens: 0, outputTokens: 0 };

/** The key the mock's environment holds; no message may ever show it. */
export const MOCK_KEY = 'sk-mock-0123456789abcdef';

/** Starts the mock on 127.0.0.1. */
export async function startMockProvider(options: MockProviderOptions): Promise<MockProvider> {
  let respond = options.respond;
  const calls: MockCall[] = [];
  const bucket = options.rateLimit === undefined ? undefined : createTokenBucket(options.rateLimit);
  let inFlight = 0;
  let maxInFlight = 0;

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = incoming.url ?? '/';
    const format = FORMATS.find((candidate) => candidate.matches(path.split('?')[0] ?? path));
    if (format === undefined || incoming.method !== 'POST') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no such path"}}');
      return;
    }
    const body = JSON.parse(await readBody(incoming)) as Record<string, unknown>;
    const { headers } = incoming;
    const request: MockRequest = {
      ...format.read(path, body),
      format: format.format,
      index: calls.length,
      headers,
      body,
    };
    const call: MockCall = { request, usage: NOTHING, status: 200, outcome: 'fault', at: Date.now() };
    calls.push(call);
    if (bucket !== undefined && !bucket.take()) {
      call.status = 429;
      call.outcome = 'rate-limited';
      const error = { message: 'Rate limit reached', type: 'rate_limit_error' };
      await sendFault(
        format,
        { fault: 'status', status: 429, error, headers: { ...bucket.headers(), ...bucket.retryHeaders() } },
        request,
        response,
      );
      return;
    }
    await answer(format, call, await respond(request), response, bucket?.headers() ?? {});
  };

  const server = createServer((incoming, response) => {
    inFlight += 1;
    maxInFlight = Math.max(maxInFlight, inFlight);
    response.once('close', () => {
      inFlight -= 1;
    });
    serve(incoming, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500).end(`mock provider: ${String(error)}`);
      else response.destroy();
    });
  });
  // Unlike Node's default of 5 s, longer than any client keeps a connection: no race at its end.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    env: environment(url),
    calls,
    get inFlight() {
      return inFlight;
    },
    get maxInFlight() {
      return maxInFlight;
    },
    get billed() {
      return {
        inputTokens: calls.reduce((sum, call) => sum + call.usage.inputTokens, 0),
        outputTokens: calls.reduce((sum, call) => sum + call.usage.outputTokens, 0),
      };
    },
    respondWith(next) {
      respond = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
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
