import { expect, test } from 'vitest';
import { howToStart } from './providers.ts';

test.each([
  ['ollama', 'http://127.0.0.1:9999/v1', true, 'ollama serve'],
  ['openai-compatible', 'http://127.0.0.1:11434/v1', true, 'ollama serve'],
  ['openai-compatible', 'http://localhost:1234/v1', true, 'lms server start'],
  ['openai-compatible', 'http://192.168.0.7:8000/v1', true, 'vllm serve'],
  ['openai-compatible', 'http://127.0.0.1:8080/v1', true, 'llama-server -m'],
  ['openai-compatible', 'http://127.0.0.1:5001/v1', true, 'nothing listens there'],
])('%s at %s', (provider, url, local, says) => {
  expect(howToStart(provider, url, local)).toContain(says);
});

test('a server elsewhere is not the user’s to start', () => {
  expect(howToStart('openai-compatible', 'https://models.example.com:8000/v1', false)).toBeUndefined();
  expect(howToStart('openai', 'https://api.openai.com/v1', false)).toBeUndefined();
});
