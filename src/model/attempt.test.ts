import type { LanguageModelV2, LanguageModelV3 } from '@ai-sdk/provider';
import { describe, expect, test } from 'vitest';
import { fakeClock, type ScriptedReply, scriptedModel } from '../test.ts';
import type { ModelRequest } from './port.ts';
import { resolveModel } from './resolve-model.ts';

function request(overrides: Partial<ModelRequest> = {}): ModelRequest {
  return {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello?' },
    ],
    maxOutputTokens: 100,
    signal: new AbortController().signal,
    idleTimeoutMs: 60_000,
    ...overrides,
  };
}

/** A model of an older specification, by hand. */
function older(version: 'v2' | 'v3', finishReason: unknown, usage: unknown): LanguageModelV2 & LanguageModelV3 {
  const parts = [
    { type: 'stream-start', warnings: [] },
    { type: 'reasoning-delta', id: '0', delta: 'hm' },
    { type: 'text-delta', id: '1', delta: 'Hel' },
    { type: 'text-delta', id: '1', delta: 'lo' },
    { type: 'finish', finishReason, usage },
  ];
  const stream = new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  return {
    specificationVersion: version,
    provider: 'old.chat',
    modelId: 'm',
    supportedUrls: {},
    doStream: async () => ({ stream }),
  } as unknown as LanguageModelV2 & LanguageModelV3;
}

describe('AI SDK models of every specification', () => {
  test('version 2', async () => {
    const usage = { inputTokens: 7, outputTokens: 3, totalTokens: 10, cachedInputTokens: 5 };
    const model = resolveModel(older('v2', 'stop', usage));
    expect(model).toMatchObject({ id: 'old/m', provider: 'old', price: undefined });
    await expect(model.attempt(request())).resolves.toEqual({
      text: 'Hello',
      reasoning: 'hm',
      finishReason: 'stop',
      usage: { inputTokens: 7, outputTokens: 3, cachedTokens: 5, estimated: false },
    });
  });

  test('version 3', async () => {
    const usage = {
      inputTokens: { total: 9, noCache: 2, cacheRead: 4, cacheWrite: 3 },
      outputTokens: { total: 3, text: 3, reasoning: 0 },
    };
    const model = resolveModel(older('v3', { unified: 'length', raw: 'max_tokens' }, usage));
    await expect(model.attempt(request())).resolves.toMatchObject({
      finishReason: 'length',
      usage: { inputTokens: 9, cachedTokens: 4, cacheWriteTokens: 3, estimated: false },
    });
  });

  test.each([
    ['v2', 'unknown'],
    ['v2', 'other'],
    ['v3', { unified: 'other', raw: undefined }],
  ] as const)('%s %o: partial text is not an answer', async (version, reason) => {
    const model = resolveModel(older(version, reason, {}));
    await expect(model.attempt(request())).rejects.toMatchObject({
      fault: 'truncated',
      retryable: true,
      possiblyBilled: true,
      usage: { estimated: true, outputTokens: 3 },
    });
  });
});

test('onText sees every piece; the number it gives ends the reply there', async () => {
  const model = resolveModel(older('v2', 'stop', {}));
  const seen: string[] = [];
  const reply = await model.attempt(
    request({
      onText(delta) {
        seen.push(delta);
        return 2;
      },
    }),
  );
  expect(seen).toEqual(['Hel']);
  expect(reply).toMatchObject({ text: 'He', finishReason: 'stopped', usage: { estimated: true } });
});

test('a model that falls silent is given up, even one that ignores its signal', async () => {
  const clock = fakeClock();
  const model = resolveModel(
    scriptedModel(() => new Promise<ScriptedReply>(() => {})),
    { clock },
  );
  const attempt = model.attempt(request({ idleTimeoutMs: 1_000 }));
  attempt.catch(() => {});
  await clock.advance(999);
  await clock.advance(1);
  await expect(attempt).rejects.toMatchObject({ code: 'timeout', fault: 'idle', possiblyBilled: true });
  expect(clock.pending).toBe(0);
});

test('a reply of blanks is an empty reply', async () => {
  await expect(resolveModel(scriptedModel([' \n '])).attempt(request())).rejects.toMatchObject({ fault: 'empty' });
});

test('an error by its network code or its retryable mark', async () => {
  const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const marked = Object.assign(new Error('try again'), { isRetryable: true });
  const model = resolveModel(scriptedModel([reset, marked]));
  await expect(model.attempt(request())).rejects.toMatchObject({ fault: 'reset', retryable: true });
  await expect(model.attempt(request())).rejects.toMatchObject({ fault: 'unknown', retryable: true });
});

test('an attempt over a scripted model takes well under a tenth of a millisecond', async () => {
  const model = resolveModel(scriptedModel(() => 'ok'));
  const one = request();
  for (let index = 0; index < 500; index++) await model.attempt(one);
  const begin = performance.now();
  for (let index = 0; index < 1_000; index++) await model.attempt(one);
  // Some 20 µs on an idle machine; the bound allows for a busy one.
  expect(performance.now() - begin).toBeLessThan(250);
});
