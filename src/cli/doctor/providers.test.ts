import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { answers, lookAtDefaultModel, lookAtProviders } from './providers.ts';

const nobody = async (): Promise<boolean> => false;

test('a key is named by its variable and never shown', async () => {
  const findings = await lookAtProviders({ env: { ANTHROPIC_API_KEY: 'sk-ant-secret-1234' }, answers: nobody });
  expect(findings[0]).toMatchObject({ name: 'anthropic', state: 'ok', summary: 'key from ANTHROPIC_API_KEY' });
  expect(JSON.stringify(findings)).not.toMatch(/secret|sk-ant/);
});

test('what is not set up is named together, with advice when there is nothing at all', async () => {
  const none = await lookAtProviders({ env: {}, answers: nobody });
  expect(none).toHaveLength(1);
  expect(none[0]).toMatchObject({ state: 'missing', advice: expect.stringContaining('export OPENAI_API_KEY') });
  const some = await lookAtProviders({ env: { OPENAI_API_KEY: 'x' }, answers: nobody });
  expect(some.at(-1)?.summary).toContain('anthropic');
  expect(some.at(-1)).not.toHaveProperty('advice');
});

test('a local server counts when it answers, or when its place is set', async () => {
  const running = await lookAtProviders({ env: {}, answers: async (url) => url.includes(':11434') });
  expect(running[0]).toMatchObject({ name: 'ollama', summary: expect.stringContaining('answers at') });
  const set = await lookAtProviders({ env: { VLLM_BASE_URL: 'http://user:pass@10.0.0.9/v1' }, answers: nobody });
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

test('the default model', () => {
  expect(lookAtDefaultModel({ FATHOM_MODEL: 'openai/gpt-5' }).summary).toBe('openai/gpt-5');
  expect(lookAtDefaultModel({}).advice).toContain('FATHOM_MODEL');
});
