/** Endpoints that differ from the protocol's letter: each call succeeds, is paid once, and the next one knows. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
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

type Body = Record<string, unknown>;
type Respond = (body: Body, request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

interface Endpoint {
  readonly url: string;
  readonly bodies: Body[];
  readonly urls: string[];
}

/** A server whose GETs and `/api/*` are answered by `facts`, and whose completions by `respond`. */
async function serve(respond: Respond, facts: Readonly<Record<string, unknown>> = {}): Promise<Endpoint> {
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

function whole(text: string, more: object = {}): string {
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

function stream(
  response: ServerResponse,
  deltas: readonly object[],
  { finish = 'stop', usage = {}, choice = {} } = {},
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

function refuse(response: ServerResponse, error: object, status = 400): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

interface Outcome {
  readonly reply: ModelReply | undefined;
  readonly error: ModelError | undefined;
  readonly attempts: number;
  readonly costUsd: number | null;
}

async function call(
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

const at = (endpoint: Endpoint, path = '/v1', model = 'm'): Model =>
  resolveModel(`${endpoint.url}${path}#${model}`, { env: {} });

describe('an endpoint that refuses the form of a request', () => {
  test('GPT-5 behind a gateway: the maximum is sent under its other name, at once and from then on', async () => {
    const server = await serve((body, _, response) => {
      if (body.max_tokens === undefined) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: "Unsupported parameter: 'max_tokens'",
        param: 'max_tokens',
        code: 'unsupported_parameter',
      });
    });
    const model = at(server);
    expect(await call(model)).toMatchObject({ reply: { text: 'three' }, attempts: 2 });
    expect(await call(model)).toMatchObject({ reply: { text: 'three' }, attempts: 1 });
    expect(server.bodies[2]).toMatchObject({ max_completion_tokens: 16_384 });
  });

  test('streaming is not allowed, and neither is stream_options: one reply in one piece', async () => {
    const server = await serve((body, _, response) => {
      if (body.stream_options !== undefined)
        return refuse(response, { message: 'Unrecognized request argument supplied: stream_options' }, 422);
      if (body.stream === true)
        return refuse(response, {
          message: 'Your organization must be verified to stream',
          param: 'stream',
          code: 'unsupported_value',
        });
      response.writeHead(200, { 'content-type': 'application/json' }).end(whole('three'));
    });
    const outcome = await call(at(server));
    expect(outcome).toMatchObject({
      reply: { text: 'three', finishReason: 'stop', usage: { inputTokens: 12, outputTokens: 3, estimated: false } },
      attempts: 3,
    });
  });

  test('an endpoint that refuses everything: four changes at most, then its own words', async () => {
    const server = await serve((body, _, response) => {
      const [parameter] = Object.keys(body).filter((name) => name !== 'model' && name !== 'messages');
      refuse(response, { message: `Unknown parameter: ${parameter ?? 'messages'}`, param: parameter });
    });
    const { error, attempts } = await call(at(server));
    expect(error).toMatchObject({ code: 'bad-request', retryable: false });
    expect(error?.message).toContain('Unknown parameter');
    expect(attempts).toBeLessThanOrEqual(5);
  });

  test('vLLM with a window of 8192: asked again with what the prompt leaves', async () => {
    const server = await serve((body, _, response) => {
      const asked = Number(body.max_tokens);
      if (asked <= 7_192) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: `This model's maximum context length is 8192 tokens. However, you requested ${asked + 1000} tokens (1000 in the messages, ${asked} in the completion).`,
      });
    });
    const model = at(server);
    expect(await call(model, { prompt: 'word '.repeat(800) })).toMatchObject({ reply: { text: 'three' }, attempts: 2 });
    expect(Number(server.bodies[1]?.max_tokens)).toBeGreaterThan(4_000);
    expect(await call(model, { prompt: 'word '.repeat(800) })).toMatchObject({ attempts: 1 });
  });

  test('a maximum of 4096 output tokens is learned from the error', async () => {
    const server = await serve((body, _, response) => {
      if (Number(body.max_tokens) <= 4_096) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: 'max_tokens is too large: 16384. This model supports at most 4096 completion tokens',
        param: 'max_tokens',
      });
    });
    expect(await call(at(server))).toMatchObject({ reply: { text: 'three' }, attempts: 2 });
    expect(server.bodies[1]).toMatchObject({ max_tokens: 4_096 });
  });

  test('a hundred calls at once learn it together, and none fails', async () => {
    const server = await serve((body, _, response) => {
      if (body.max_tokens === undefined) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: "Unsupported parameter: 'max_tokens'",
        param: 'max_tokens',
        code: 'unsupported_parameter',
      });
    });
    const model = at(server);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => call(model)));
    expect(outcomes.filter(({ reply }) => reply?.text === 'three')).toHaveLength(100);
  });
});

describe('replies as servers really send them', () => {
  test.each([
    ['chat.completion, whatever was asked for', whole('FINAL(1)'), 'FINAL(1)'],
    [
      'with reasoning',
      whole('', { choices: [{ message: { content: 'x', reasoning_content: 'hm' }, finish_reason: 'stop' }] }),
      'x',
    ],
    ['pretty-printed with a byte order mark', `\uFEFF${JSON.stringify(JSON.parse(whole('x')), null, 2)}`, 'x'],
  ])('a whole JSON body: %s', async (_, body, text) => {
    const server = await serve(
      (_body, _request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    expect(await call(at(server))).toMatchObject({ reply: { text }, attempts: 1 });
  });

  test.each(['error', 'network_error', 'abort', 'aborted', 'timeout', 'insufficient_system_resource'])(
    'the finish reason %s means broken off: retried, possibly billed',
    async (finish) => {
      let sent = 0;
      const server = await serve((_body, _request, response) => {
        stream(response, [{ content: sent++ === 0 ? 'FINAL(12' : 'FINAL(123)' }], {
          finish: sent === 1 ? finish : 'stop',
        });
      });
      expect(await call(at(server))).toMatchObject({ reply: { text: 'FINAL(123)' }, attempts: 2 });
    },
  );

  test('an error object beside a good finish reason, and a native reason that only informs', async () => {
    for (const choice of [
      { error: { code: 502, message: 'Upstream died' } },
      { native_finish_reason: 'network_error' },
    ]) {
      let sent = 0;
      const server = await serve((_body, _request, response) =>
        stream(response, [{ content: sent === 0 ? 'half' : 'whole' }], { choice: sent++ === 0 ? choice : {} }),
      );
      expect(await call(at(server))).toMatchObject({ reply: { text: 'whole' }, attempts: 2 });
    }
  });

  test('an unknown reason at the end of a whole stream is an end, and is reported', async () => {
    const server = await serve((_body, _request, response) =>
      stream(response, [{ content: 'x' }], { finish: 'eos_token' }),
    );
    const { reply } = await call(at(server));
    expect(reply?.notices?.[0]).toMatchObject({ kind: 'unknown-finish-reason' });
    expect(reply?.notices?.[0]?.message).toContain("'eos_token'");
  });

  test('only reasoning: an error that has the text at hand, and no second payment', async () => {
    const server = await serve((_body, _request, response) => stream(response, [{ reasoning: 'VAULT-77' }]));
    const { error, attempts } = await call(at(server));
    expect(error).toMatchObject({ fault: 'empty', retryable: false, data: { reasoning: 'VAULT-77' } });
    expect(attempts).toBe(1);
  });

  test('a call of a tool that was not offered comes out as a tool call', async () => {
    const tool_calls = [
      { index: 0, id: 'c1', type: 'function', function: { name: 'python', arguments: '{"code": "print(1)"}' } },
    ];
    const server = await serve((_body, _request, response) =>
      stream(response, [{ tool_calls }], { finish: 'tool_calls' }),
    );
    const { reply } = await call(at(server));
    expect(reply).toMatchObject({ text: '', toolCalls: [{ name: 'python', arguments: '{"code": "print(1)"}' }] });
  });

  test('the reason behind "Provider returned error" is in the message', async () => {
    const server = await serve((_body, _request, response) => {
      refuse(response, {
        message: 'Provider returned error',
        code: 400,
        metadata: {
          raw: '{"error":{"message":"Invalid upstream key","code":"invalid_api_key"}}',
          provider_name: 'Chutes',
        },
      });
    });
    const { error } = await call(at(server));
    expect(error?.message).toContain('Invalid upstream key');
    expect(error?.message).toContain('Chutes');
    expect(error?.fault).toBe('key');
  });
});

describe('addresses', () => {
  test('the query of a base URL goes with every request', async () => {
    const server = await serve((_body, _request, response) => stream(response, [{ content: 'x' }]));
    await call(at(server, '/openai/deployments/d?api-version=2024-10-21'));
    expect(server.urls[0]).toBe('/openai/deployments/d/chat/completions?api-version=2024-10-21');
  });

  test.each([
    ['0.0.0.0', 'http://127.0.0.1:11434/v1'],
    ['127.0.0.1', 'http://127.0.0.1:11434/v1'],
    [':8080', 'http://127.0.0.1:8080/v1'],
    ['0.0.0.0:8080', 'http://127.0.0.1:8080/v1'],
    ['example.com', 'http://example.com:11434/v1'],
    ['https://example.com', 'https://example.com/v1'],
    ['http://example.com', 'http://example.com/v1'],
    ['[::]', 'http://127.0.0.1:11434/v1'],
    ['[::1]:9', 'http://[::1]:9/v1'],
    ['http://10.0.0.5:11434/', 'http://10.0.0.5:11434/v1'],
  ])('OLLAMA_HOST=%s', (value, endpoint) => {
    expect(resolveModel('ollama/qwen3', { env: { OLLAMA_HOST: value } }).endpoint).toBe(endpoint);
  });

  test('a key with a typographic quote is refused with its variable, before anything is sent', () => {
    expect(() => resolveModel('openai/gpt-5', { env: { OPENAI_API_KEY: '“sk-abc”' } })).toThrow(
      /OPENAI_API_KEY holds a character/,
    );
  });

  test('a server that is not there: two attempts, and how to start it', async () => {
    const server = await serve(() => {});
    servers.splice(0).forEach((open) => void open.close());
    const startedAt = performance.now();
    const { error, attempts } = await call(resolveModel('ollama/qwen3', { env: { OLLAMA_HOST: server.url } }));
    expect(attempts).toBe(2);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(error?.message).toContain('ollama serve');
  });
});

describe('the window of a local server', () => {
  const MODELS = { data: [{ id: 'm', max_model_len: 8_192 }] };

  test.each([
    ['Ollama, loaded', { '/api/ps': { models: [{ name: 'm:latest', context_length: 8_192 }] } }],
    [
      'Ollama, num_ctx',
      {
        '/api/show': {
          parameters: 'stop "x"\nnum_ctx                        8192',
          model_info: { 'llama.context_length': 131_072 },
        },
      },
    ],
    ['vLLM', { '/v1/models': MODELS }],
    [
      'LM Studio',
      { '/api/v0/models': { data: [{ id: 'm', loaded_context_length: 8_192, max_context_length: 131_072 }] } },
    ],
    ['llama.cpp', { '/props': { default_generation_settings: { n_ctx: 8_192 } } }],
  ])('%s: replies are asked to fit, and a prompt that cannot fit is not sent', async (_, facts) => {
    const server = await serve((_body, _request, response) => stream(response, [{ content: 'x' }]), facts);
    const model = at(server);
    expect(await call(model, { prompt: 'word '.repeat(4_000) })).toMatchObject({ reply: { text: 'x' } });
    expect(model.contextTokens).toBe(8_192);
    expect(Number(server.bodies[0]?.max_tokens)).toBeLessThan(4_000);
    const { error } = await call(model, { prompt: 'word '.repeat(40_000) });
    expect(error).toMatchObject({ code: 'context-length', data: { limit: 8_192 } });
    expect(server.bodies).toHaveLength(1);
  });

  test('a trained maximum alone is not the window', async () => {
    const facts = { '/api/show': { model_info: { 'llama.context_length': 131_072 } } };
    const server = await serve((_body, _request, response) => stream(response, [{ content: 'x' }]), facts);
    const model = at(server);
    await call(model);
    expect(model.contextTokens).toBeUndefined();
  });

  test('a prompt that the server cut in silence is noticed by its count', async () => {
    const server = await serve((_body, _request, response) =>
      stream(response, [{ content: 'x' }], { usage: { prompt_tokens: 4_096 } }),
    );
    const { reply } = await call(at(server), { prompt: 'some words to read '.repeat(3_200) });
    expect(reply?.notices?.[0]).toMatchObject({ kind: 'input-truncated' });
    expect(reply?.notices?.[0]?.message).toContain('4096');
  });
});

describe("the provider's own figure of the cost", () => {
  const openRouter = (server: Endpoint): Model =>
    resolveModel('openrouter/some/model-without-a-price', {
      env: { OPENROUTER_API_KEY: 'sk-or-0123456789', OPENROUTER_BASE_URL: `${server.url}/v1` },
    });

  test('settles a call without a price', async () => {
    const server = await serve((_body, _request, response) =>
      stream(response, [{ content: 'x' }], { usage: { cost: 0.0123 } }),
    );
    expect(await call(openRouter(server))).toMatchObject({ costUsd: 0.0123 });
  });

  test('a limit on money holds: nothing beside the first call, and no call that the learned price forbids', async () => {
    const server = await serve((_body, _request, response) =>
      stream(response, [{ content: 'x' }], { usage: { cost: 0.0123 } }),
    );
    const model = openRouter(server);
    expect(await call(model, { maxCostUsd: 0.02, maxOutputTokens: 100 })).toMatchObject({
      reply: { text: 'x' },
      costUsd: 0.0123,
    });
    await expect(call(model, { maxCostUsd: 0.02, maxOutputTokens: 100 })).rejects.toMatchObject({
      code: 'budget',
    });
    expect(server.bodies).toHaveLength(1);
  });
});
