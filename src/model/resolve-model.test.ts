import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { recordedModel } from '../test.ts';
import type { Model, ModelRequest } from './port.ts';
import { priceOf } from './prices.ts';
import { resolveModel } from './resolve-model.ts';

const KEYS = { OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k', GEMINI_API_KEY: 'k', OPENROUTER_API_KEY: 'k' };
const folder = mkdtempSync(join(tmpdir(), 'fathom-models-'));
afterAll(() => rmSync(folder, { recursive: true }));

function ask(model: Model, content: string): ReturnType<Model['attempt']> {
  const request: ModelRequest = {
    messages: [{ role: 'user', content }],
    maxOutputTokens: 100,
    signal: new AbortController().signal,
    idleTimeoutMs: 60_000,
  };
  return model.attempt(request);
}

describe('references', () => {
  test.each([
    ['openai/gpt-5', 'openai/gpt-5', 'openai'],
    ['openai.chat/gpt-5', 'openai/gpt-5', 'openai'],
    ['anthropic/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5', 'anthropic'],
    ['google/gemini-2.5-pro', 'google/gemini-2.5-pro', 'google'],
    ['openrouter/anthropic/claude-sonnet-4.5', 'openrouter/anthropic/claude-sonnet-4.5', 'openrouter'],
    ['ollama/llama3:8b', 'ollama/llama3:8b', 'ollama'],
    ['http://127.0.0.1:9/v1#my/model', 'openai-compatible/my/model', 'openai-compatible'],
  ])('%s', (ref, id, provider) => {
    expect(resolveModel(ref, { env: KEYS })).toMatchObject({ id, provider });
  });

  test.each(['gpt-5', 'unknown/gpt-5', 'openai/', '', 'openai.batch/x', 'constructor/x'])(
    '%j is unknown: the error lists what exists',
    (ref) => {
      expect(() => resolveModel(ref, { env: KEYS })).toThrow(
        expect.objectContaining({
          code: 'model-not-found',
          message: expect.stringMatching(/openai, anthropic, google/),
        }),
      );
    },
  );

  test.each([
    ['openai/gpt-5', 'OPENAI_API_KEY'],
    ['anthropic/claude-sonnet-4-5', 'ANTHROPIC_API_KEY'],
    ['google/gemini-2.5-pro', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    ['openrouter/x', 'OPENROUTER_API_KEY'],
  ])('%s without a key: the error names %s', (ref, variable) => {
    for (const env of [{}, { [variable]: ' ' }]) {
      expect(() => resolveModel(ref, { env })).toThrow(
        expect.objectContaining({ code: 'missing-key', userAction: true, message: expect.stringContaining(variable) }),
      );
    }
  });

  test('a server of one’s own needs a base URL, and a real one', () => {
    expect(() => resolveModel('openai-compatible/m', { env: {} })).toThrow(/OPENAI_COMPATIBLE_BASE_URL/);
    expect(() => resolveModel('vllm/m', { env: { VLLM_BASE_URL: 'http://[' } })).toThrow(/is not a URL/);
  });
});

describe('prices', () => {
  test('from the table, in USD per million tokens, with the size of the context', () => {
    const model = resolveModel('openai/gpt-5', { env: KEYS });
    expect(model.price).toMatchObject({ input: 1.25, output: 10, cached: 0.125 });
    expect(model.contextTokens).toBe(400_000);
  });

  test('a price that depends on length: the one for short prompts', () => {
    expect(priceOf('google/gemini-2.5-pro')).toMatchObject({ input: 1.25, output: 10 });
  });

  test('unknown is undefined, never zero, and never the price of another model', () => {
    expect(priceOf('openai/no-such-model')).toBeUndefined();
    expect(priceOf('ollama/gpt-5')).toBeUndefined();
    expect(priceOf('gpt-5')).toBeUndefined();
  });

  test('the caller’s own price wins', () => {
    const own = { input: 1, output: 2 };
    expect(resolveModel('openai/gpt-5', { env: KEYS, prices: { 'openai/gpt-5': own } }).price).toBe(own);
    expect(resolveModel('openai/gpt-5', { env: KEYS, prices: { 'gpt-5': own } }).price).toBe(own);
  });
});

describe('scripts and recordings', () => {
  const script = join(folder, 'script.json');
  writeFileSync(script, JSON.stringify(['one', { text: 'two', reasoning: 'because' }, 'three']));

  test('scripted:FILE answers in order', async () => {
    const model = resolveModel(`scripted:${script}`);
    expect((await ask(model, 'a')).text).toBe('one');
    expect(await ask(model, 'b')).toMatchObject({ text: 'two', reasoning: 'because' });
  });

  test('record:FILE:REF and replay:FILE: the k-th equal request gets the k-th answer', async () => {
    const file = join(folder, 'deep', 'recording.jsonl');
    const recording = resolveModel(`record:${file}:scripted:${script}`);
    for (const content of ['same', 'same', 'other']) await ask(recording, content);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(3);

    const replay = resolveModel(`replay:${file}`);
    expect((await ask(replay, 'other')).text).toBe('three');
    expect((await ask(replay, 'same')).text).toBe('one');
    expect(await ask(replay, 'same')).toMatchObject({ text: 'two', reasoning: 'because' });
    await expect(ask(replay, 'same')).rejects.toMatchObject({
      code: 'model-failure',
      retryable: false,
      message: expect.stringMatching(/has no answer for the request 'same'.*answers this request 2 times/),
    });
    await expect(ask(replay, 'never asked')).rejects.toThrow(/none of its 2 requests is this one/);

    const double = resolveModel(recordedModel(file));
    expect((await ask(double, 'other')).text).toBe('three');
  });

  test.each([`replay:${folder}/none.jsonl`, `scripted:${folder}/none.json`])(
    '%s cannot be read: a clear error',
    (ref) => {
      expect(() => resolveModel(ref)).toThrow(/none\.json.* cannot be/);
    },
  );
});
