import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { answers, lookAtDefaultModel, lookAtProviders } from './providers.ts';
import { windowsOf } from './windows.ts';

const nobody = async (): Promise<boolean> => false;
const none = async (): Promise<readonly string[]> => [];

test('a key is named by its variable and never shown', async () => {
  const findings = await lookAtProviders({
    env: { ANTHROPIC_API_KEY: 'sk-ant-secret-1234' },
    answers: nobody,
    windows: none,
  });
  expect(findings[0]).toMatchObject({ name: 'anthropic', state: 'ok', summary: 'key from ANTHROPIC_API_KEY' });
  expect(JSON.stringify(findings)).not.toMatch(/secret|sk-ant/);
});

test('what is not set up is named together, with advice when there is nothing at all', async () => {
  const nothing = await lookAtProviders({ env: {}, answers: nobody, windows: none });
  expect(nothing).toHaveLength(1);
  expect(nothing[0]).toMatchObject({ state: 'missing', advice: expect.stringContaining('export OPENAI_API_KEY') });
  const some = await lookAtProviders({ env: { OPENAI_API_KEY: 'x' }, answers: nobody, windows: none });
  expect(some.at(-1)?.summary).toContain('anthropic');
  expect(some.at(-1)).not.toHaveProperty('advice');
});

test('a local server counts when it answers, or when its place is set', async () => {
  const running = await lookAtProviders({ env: {}, answers: async (url) => url.includes(':11434'), windows: none });
  expect(running[0]).toMatchObject({ name: 'ollama', summary: expect.stringContaining('answers at') });
  const set = await lookAtProviders({
    env: { VLLM_BASE_URL: 'http://user:pass@10.0.0.9/v1' },
    answers: nobody,
    windows: none,
  });
  expect(set[0]).toMatchObject({ name: 'vllm', summary: 'needs no key, base URL from VLLM_BASE_URL' });
});

test('whether a server answers is tried by connecting', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  expect(await answers(url)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
  expect(await answers(url)).toBe(false);
});

test('the default model is that of the environment, else of the config file', async () => {
  const config = { model: 'anthropic/claude-sonnet-4-5' };
  const named = await lookAtDefaultModel({ FATHOM_MODEL: 'openai/gpt-5' }, config, windowsOf);
  expect(named).toMatchObject({
    summary: 'openai/gpt-5',
    details: ['openai/gpt-5: window of 400k tokens (price table)'],
  });
  expect((await lookAtDefaultModel({}, config, none)).summary).toBe('anthropic/claude-sonnet-4-5 (config file)');
  expect((await lookAtDefaultModel({}, {}, none)).advice).toContain('FATHOM_MODEL');
});

/** A server on loopback with these answers by path. */
async function serve(
  replies: Readonly<Record<string, unknown>>,
): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createHttpServer((request, response) => {
    const reply = replies[request.url ?? ''];
    response.writeHead(reply === undefined ? 404 : 200).end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const listed = (...ids: readonly string[]) => ({ data: ids.map((id) => ({ id, object: 'model' })) });

describe('the window of each model of a local server', () => {
  test('Ollama: that of a loaded model, the num_ctx of another, and how to set it where neither is there', async () => {
    await using server = await serve({
      '/v1/models': listed('qwen3:8b', 'llama3'),
      '/api/ps': { models: [{ name: 'qwen3:8b', model: 'qwen3:8b', context_length: 4_096 }] },
    });
    const lines = await windowsOf('ollama/', { OLLAMA_HOST: server.origin.replace('http://', '') });
    expect(lines[0]).toMatch(/^qwen3:8b: window of 4.10k tokens\. .*OLLAMA_CONTEXT_LENGTH/);
    expect(lines[1]).toMatch(/^llama3: window unknown until it is loaded/);
  });

  test('Ollama: the num_ctx of a Modelfile', async () => {
    await using server = await serve({ '/v1/models': listed('m'), '/api/show': { parameters: 'num_ctx    65536' } });
    expect(await windowsOf('ollama/', { OLLAMA_HOST: server.origin })).toEqual(['m: window of 65.5k tokens']);
  });

  test('vLLM: max_model_len', async () => {
    const data = [{ id: 'm', object: 'model', max_model_len: 131_072 }];
    await using server = await serve({ '/v1/models': { data } });
    expect(await windowsOf('vllm/', { VLLM_BASE_URL: server.origin })).toEqual(['m: window of 131k tokens']);
  });

  test('llama.cpp by its URL: n_ctx', async () => {
    await using server = await serve({ '/props': { default_generation_settings: { n_ctx: 32_768 } } });
    expect(await windowsOf(`${server.origin}/v1#m`, {})).toEqual(['m: window of 32.8k tokens']);
  });

  test('a server with many models: the first ones, and a count', async () => {
    const ids = Array.from({ length: 12 }, (_, n) => `m${n}`);
    await using server = await serve({ '/v1/models': listed(...ids) });
    const lines = await windowsOf('vllm/', { VLLM_BASE_URL: server.origin });
    expect(lines).toHaveLength(9);
    expect(lines.at(-1)).toBe('and 4 models more');
  });

  test.each([
    ['a server elsewhere', 'https://models.example.com/v1#m'],
    ['a server that is not there', 'http://127.0.0.1:1/v1#m'],
    ['a reference that cannot be read', 'nothing'],
    ['a script', 'scripted:x.json'],
  ])('%s is not asked, or has no line', async (_, ref) => {
    expect(await windowsOf(ref, {})).toEqual([]);
  });
});
