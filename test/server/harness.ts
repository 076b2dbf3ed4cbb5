import { request as httpRequest, type IncomingMessage } from 'node:http';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import { createRlm, memoryStore, type Rlm, type RlmOptions, type RunEvent, type Store } from '../../src/index.ts';
import { type FathomServer, type ServerOptions, startServer } from '../../src/server/index.ts';
import { type MockProvider, type MockResponder, startMockProvider } from '../mock-provider/index.ts';
import { checkResponse } from './check-response.ts';

/** A server over an `Rlm` over the mock provider. */
export interface Served {
  readonly server: FathomServer;
  readonly rlm: Rlm;
  readonly store: Store;
  readonly mock: MockProvider;
  readonly events: readonly RunEvent[];
  readonly client: OpenAI;
}

export interface ServeOptions {
  readonly respond: MockResponder;
  readonly rlm?: Partial<RlmOptions>;
  readonly server?: Partial<Omit<ServerOptions, 'rlm'>>;
  /** Makes the `Rlm` that the server gets. */
  readonly wrap?: (rlm: Rlm) => Rlm;
}

/** The key of tests that need one. */
export const KEY = 'test-key-0123456789';

/** Starts everything on loopback; it is closed when the test ends. */
export async function serve({ respond, rlm: options, server: given, wrap }: ServeOptions): Promise<Served> {
  const mock = await startMockProvider({ respond });
  onTestFinished(() => mock.close());
  const store = options?.store ?? memoryStore({ keepRuns: 5_000 });
  const events: RunEvent[] = [];
  const rlm = createRlm({
    model: `${mock.url}/v1#root`,
    requireInspection: false,
    ...options,
    store,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => rlm.close());
  const server = await startServer({ rlm: wrap?.(rlm) ?? rlm, store, ...given });
  onTestFinished(() => server.close());
  return { server, rlm, store, mock, events, client: openAi(server) };
}

/** The official client, which does not retry. */
export function openAi({ url }: FathomServer, apiKey: string = KEY): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

/** A reply that answers at once. */
export function final(text: string): string {
  return `FINAL(${JSON.stringify(text)})`;
}

/** A response as it came. */
export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One request, with any header: fetch sets Host and Origin by itself. A JSON response is checked against the OpenAPI document. */
export async function raw(url: string, request: RawRequest = {}): Promise<RawResponse> {
  const response = await send(url, request);
  const method = request.method ?? (request.body === undefined ? 'GET' : 'POST');
  if (response.headers['content-type']?.startsWith('application/json') === true) checkResponse(method, url, response);
  return response;
}

async function send(url: string, { method, headers = {}, body }: RawRequest): Promise<RawResponse> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return await new Promise((resolve, reject) => {
    const given = { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers };
    const request = httpRequest(url, { method: method ?? (text === undefined ? 'GET' : 'POST'), headers: given });
    request.once('error', reject);
    request.once('response', (response) => {
      let all = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        all += piece;
      });
      response.once('error', reject);
      response.once('end', () => {
        const isJson = response.headers['content-type']?.startsWith('application/json') === true;
        const json = isJson ? (JSON.parse(all) as RawResponse['json']) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: all, json });
      });
    });
    request.end(text);
  });
}

/** The events of a stream, without its comments. */
export function sseData(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice(6)) as Readonly<Record<string, unknown>>);
}

/** Resolves once `holds`; fails after ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
