import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import type { WireFacts } from './attempt-watch.ts';
import { classifyFailure, classifyStatus } from './classify.ts';
import { estimateInput, estimateMessages, estimateTokens, learnInput } from './estimate-tokens.ts';
import { ModelError } from './model-error.ts';
import type { ChatMessage } from './port.ts';
import { createFairQueue } from './rate/fair-queue.ts';
import { readRateHeaders } from './rate/header-limits.ts';
import { redactKeys } from './redact.ts';
import { resolveModel } from './resolve-model.ts';
import { readDuration, retryAfterMs } from './retry-after.ts';
import { scriptedModel } from './scripted/scripted-model.ts';

const NOW = Date.UTC(2025, 0, 1);

describe('Retry-After', () => {
  test.each([
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Wed, 01 Jan 2025 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Wed, 01 Jan 2020 00:00:00 GMT' }, 0],
    [{ 'retry-after': '-3' }, 0],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '3, 5' }, 5_000],
    [{ 'retry-after': 'attempt 5' }, undefined],
    [{ 'retry-after': '2025' }, 2_025_000],
    [{ 'retry-after': 'Wednesday, 01-Jan-25 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': '2025-01-01T00:00:10Z' }, 10_000],
    [{ 'retry-after': 'Wed Jan  1 00:00:10 2025 GMT' }, 10_000],
    [{}, undefined],
  ])('%o', (headers, milliseconds) => {
    expect(retryAfterMs(headers, NOW)).toBe(milliseconds);
  });

  test.each([
    ['34.07s', 34_070],
    ['1m30s', 90_000],
    ['20ms', 20],
    ['6m0s', 360_000],
    ['abc', undefined],
    ['9999999999h', 86_400_000],
    ['1'.repeat(1_000_000), undefined],
  ])('duration %.20s', (text, milliseconds) => {
    expect(readDuration(text)).toBe(milliseconds);
  });
});

test('a proxy that does not get through is a lost connection; one that refuses is not asked again', () => {
  const wire = { host: 'model.test' } as WireFacts;
  const of = (status: number): ModelError =>
    classifyFailure(
      new Error(`Proxy response (${status}) !== 200 when HTTP Tunneling`),
      { modelId: 'm', clock: systemClock, redact: redactKeys },
      wire,
    );
  expect(of(502)).toMatchObject({ fault: 'unreachable', retryable: true });
  expect(of(407)).toMatchObject({ retryable: false, message: expect.stringContaining('(407)') });
});

test('errors are changed where Error.stackTraceLimit is frozen', () => {
  const { stackTraceLimit } = Error;
  Object.defineProperty(Error, 'stackTraceLimit', { writable: false });
  try {
    for (const fault of ['cancelled', 'server'] as const) {
      const error = new ModelError({ fault, message: 'one' });
      expect(error.with({ message: 'two' })).toMatchObject({ fault, message: 'two' });
    }
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', { writable: true });
  }
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
});

test('an error body of megabytes is judged at once', () => {
  for (const text of ['model ', 'usage limits ', 'models/x', '1,', '9 + ']) {
    const startedAt = performance.now();
    const body = {
      error: {
        message: text.repeat(1_000_000),
        code: text.repeat(1_000_000),
        details: [{ retryDelay: text.repeat(1_000_000) }],
      },
    };
    const setup = { modelId: 'm', clock: systemClock, redact: redactKeys };
    expect(classifyStatus(400, body, {}, setup).message.length).toBeLessThan(1_000);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  }
});

describe('rate-limit headers', () => {
  test('OpenAI', () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '150000',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(readRateHeaders(headers, NOW)).toEqual({
      requests: { limit: 60, remaining: 59, resetMs: 1_000, windowed: false },
      tokens: { limit: 150_000, remaining: 149_984, resetMs: 360_000, windowed: false },
    });
  });

  test('Anthropic', () => {
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2025-01-01T00:00:30Z',
    };
    expect(readRateHeaders(headers, NOW).requests).toEqual({
      limit: 50,
      remaining: 0,
      resetMs: 30_000,
      windowed: false,
    });
  });

  test('a window that ends at a moment', () => {
    const headers = {
      'x-ratelimit-limit': '20',
      'x-ratelimit-remaining': '3',
      'x-ratelimit-reset': String(NOW + 5_000),
    };
    expect(readRateHeaders(headers, NOW).requests).toEqual({ limit: 20, remaining: 3, resetMs: 5_000, windowed: true });
  });
});

describe('token estimates', () => {
  test.each([
    ['', 0],
    ['word', 1],
    ['x'.repeat(400), 100],
    ['世界', 2],
    ['Привет', 3],
  ])('%j', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });

  test('rise with what a provider counts, and never fall below the plain estimate', () => {
    const model = resolveModel(scriptedModel([]));
    const chat = (content: string) => [{ role: 'user', content }] as const;
    const plain = estimateInput(model, chat('some words '.repeat(100)));
    learnInput(model, chat('the same '.repeat(100)), 60);
    expect(estimateInput(model, chat('some words '.repeat(100)))).toBe(plain);
    learnInput(model, chat('the same '.repeat(100)), 600);
    expect(estimateInput(model, chat('some words '.repeat(100)))).toBeGreaterThan(plain);
  });

  test('of a chat are those of its messages, however it has grown, shrunk or changed since', () => {
    const said = (content: string): ChatMessage => ({ role: 'user', content });
    const plain = (chat: readonly ChatMessage[]): number => estimateMessages(chat.map(({ content }) => said(content)));
    const [first, second, third] = [said('one'), said('two words'), said('three words more')];
    const chats = [
      [first],
      [first, second, third],
      [first, second],
      [first, third, second],
      [first, said('another'), third],
      [first, second, third, third],
      [second, third],
      [],
    ];
    for (const chat of [...chats, ...chats]) expect(estimateMessages(chat)).toBe(plain(chat));
  });

  test('long texts are sampled, and uniform ones estimated the same', () => {
    expect(estimateTokens('a'.repeat(4_000_000))).toBe(1_000_000);
    expect(estimateTokens('世'.repeat(400_000))).toBe(400_000);
  });
});

test('keys are never shown', () => {
  const text =
    'Incorrect API key: sk-proj-abcDEF123456, AIzaSyD-abcdefghijk, Bearer abcdefghijklmnop, sk-ab**********xyz';
  expect(redactKeys(text)).toBe('Incorrect API key: [key], [key], [key], [key]');
  expect(redactKeys('the key to success is keyboard practice')).toBe('the key to success is keyboard practice');
});

test('fair queue: every item comes out once, each lane in its order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 60 }), (pushes) => {
      const queue = createFairQueue<number, string, { key: string; index: number }>(() => false);
      for (const [index, [tree, lane]] of pushes.entries())
        queue.push(tree, `${tree}.${lane}`, { key: `${tree}.${lane}`, index });
      const out = [];
      for (let item = queue.next(() => true); item !== undefined; item = queue.next(() => true)) out.push(item);
      expect(out.map(({ index }) => index).sort((a, b) => a - b)).toEqual(pushes.map((_, index) => index));
      for (const key of new Set(out.map((item) => item.key))) {
        const order = out.filter((item) => item.key === key).map(({ index }) => index);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
      expect(queue.size).toBe(0);
    }),
  );
});
