import { expect, test } from 'vitest';
import { closestTo } from '../similar.ts';
import { listModels, suggestModel } from './model-list.ts';
import { resolveModel } from './resolve-model.ts';

test.each([
  ['gpt-5', 'openai/gpt-5'],
  ['claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5'],
  ['gemini-2.5-flash', 'google/gemini-2.5-flash'],
  ['gemini/gemini-2.5-pro', 'google/gemini-2.5-pro'],
  ['openia/gpt-5', 'openai/gpt-5'],
  ['antropic/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5'],
  ['claude/claude-opus-4-1', 'anthropic/claude-opus-4-1'],
  ['gpt-5-mni', 'openai/gpt-5-mini'],
  ['lm-studio/qwen', 'lmstudio/qwen'],
])('%s suggests %s', (ref, id) => {
  expect(suggestModel(ref)).toBe(`Did you mean ${id}?`);
  expect(() => resolveModel(ref, { env: {} })).toThrow(`Did you mean ${id}?`);
});

test.each(['azure/gpt-5', 'bedrock/claude'])('%s: how to reach it', (ref) => {
  expect(() => resolveModel(ref, { env: {} })).toThrow('URL');
});

test.each(['foo/bar', 'xyzzy-9000'])('%s suggests nothing', (ref) => {
  expect(suggestModel(ref)).toBeUndefined();
});

test('listed models can be named, and have their window and price', () => {
  const models = listModels();
  expect(models.find(({ id }) => id === 'openai/gpt-5')).toMatchObject({
    contextTokens: 400_000,
    price: { input: 1.25, output: 10 },
  });
  expect(models.filter(({ id }) => id.startsWith('openai-compatible/'))).toEqual([]);
  expect(models.length).toBeGreaterThan(300);
});

test('a model without a charge costs nothing, and that is known', () => {
  expect(resolveModel('ollama/qwen3', { env: {} }).price).toEqual({ input: 0, output: 0 });
  expect(resolveModel('vllm/m', { env: { VLLM_BASE_URL: 'https://gpu.example.com/v1' } }).price).toBeUndefined();
  expect(resolveModel('http://127.0.0.1:4000/v1#m', { env: {} }).price).toBeUndefined();
  expect(resolveModel('ollama/qwen3', { env: {}, prices: { 'ollama/qwen3': { input: 1, output: 2 } } }).price).toEqual({
    input: 1,
    output: 2,
  });
});

test('words that are near, and words that are not', () => {
  const words = ['anthropic', 'openai', 'google'];
  expect(['anthropci', 'opnai', 'gogle', 'mistral', ''].map((word) => closestTo(word, words))).toEqual([
    'anthropic',
    'openai',
    'google',
    undefined,
    undefined,
  ]);
});
