/** Servers as users name them: addresses, windows, figures of cost. */

import { describe, expect, test } from 'vitest';
import { type Model, resolveModel } from '../src/model/index.ts';
import { at, call, type Endpoint, serve, servers, stream } from './endpoint-harness.ts';

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
