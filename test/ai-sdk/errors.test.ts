/** Each code of the error table that the AI SDK door can raise is reached through it, over real sockets. */
import { APICallError } from '@ai-sdk/provider';
import { generateText, streamText } from 'ai';
import { describe, expect, it } from 'vitest';
import { type LanguageModelOptions, requestFromMessages } from '../../src/ai-sdk/index.ts';
import { ERROR_TABLE, errorRow } from '../../src/error-table.ts';
import { type ContextInput, contexts, fromFile, type RlmErrorCode, type RlmOptions } from '../../src/index.ts';
import { breakingBackend, fullStore } from '../door-faults.ts';
import type { MockErrorBody, MockReply } from '../mock-provider/index.ts';
import { type Door, doorOf } from './door.ts';

const HANGING = { fault: 'hang-before-headers' } as const;

/** How a code is reached: a door, its provider's replies, and what happens while the call runs. */
interface Case {
  readonly replies?: readonly MockReply[];
  readonly rlm?: Partial<RlmOptions>;
  readonly door?: LanguageModelOptions;
  /** Part of the call. */
  readonly call?: { readonly temperature?: number };
  /** Runs once the call has started. */
  readonly during?: (door: Door) => unknown;
}

const status = (code: number, error: MockErrorBody): MockReply => ({ fault: 'status', status: code, error });
const about = (context: ContextInput): LanguageModelOptions => ({
  toRequest: (messages) => ({ ...requestFromMessages(messages), context }),
});

/** A second run beside one that hangs: there is room for one, and one may wait. */
async function fill({ model, events }: Door): Promise<void> {
  for (const type of ['run.started', 'run.queued'] as const) {
    void generateText({ model, prompt: 'first', maxRetries: 0 }).catch(() => undefined);
    await expect.poll(() => events.map((event) => event.type)).toContain(type);
  }
}

const CASES: Readonly<Partial<Record<RlmErrorCode, Case>>> = {
  'invalid-name': { door: about(contexts({ '1st': 'x' })) },
  'reserved-name': { door: about(contexts({ llm_query: 'x' })) },
  'duplicate-name': {
    door: { ...about(contexts({ look: 'x' })), tools: { look: { description: 'd', execute: () => 1 } } },
  },
  'invalid-limit': { door: { limits: { maxTurns: -1 } } },
  'invalid-option': { call: { temperature: -1 } },
  'model-not-found': {
    replies: [status(404, { message: 'The model `root` does not exist', code: 'model_not_found' })],
  },
  'missing-key': { replies: [status(401, { message: 'Incorrect API key provided' })] },
  'price-unknown': { door: { limits: { maxCostUsd: 1 } } },
  'context-not-found': { door: about(fromFile('/nowhere/at-all.txt')) },
  'context-invalid': { door: about(contexts({ a: { b: 1n } as never })) },
  'context-length': {
    replies: [
      status(400, { message: "This model's maximum context length is 10 tokens.", code: 'context_length_exceeded' }),
    ],
  },
  overloaded: { replies: [HANGING], rlm: { maxRepls: 1, maxQueuedRuns: 1 }, during: undefined as never },
  'rate-limited': {
    replies: [status(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' })],
  },
  'model-failure': { replies: [{ fault: 'redirect', location: 'http://127.0.0.1:1/' }] },
  'model-refused': { replies: [{ text: '', finishReason: 'content_filter' }] },
  'bad-request': { replies: [status(400, { message: 'no such thing' })] },
  cancelled: { replies: [HANGING], during: ({ rlm }) => rlm.close() },
  timeout: { replies: [HANGING], door: { limits: { callTimeoutMs: 300 } } },
  'repl-failure': { rlm: { repl: breakingBackend('repl-failure') } },
  'isolation-unavailable': { rlm: { isolation: 'vm' } },
  'channel-violation': { rlm: { repl: breakingBackend('channel-violation') } },
  'store-failure': { rlm: { store: fullStore() } },
};

async function failureOf(call: PromiseLike<unknown>): Promise<APICallError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (APICallError.isInstance(error)) return error;
  throw new Error(`not an APICallError: ${String(error)}`, { cause: error });
}

/** An error in the form of the table, whose cause is Fathom's own. */
function checkForm(error: APICallError, code: RlmErrorCode): void {
  const { status: httpStatus, type, envelopeCode = code } = errorRow(code);
  expect(error.cause).toMatchObject({ code });
  expect(error.statusCode).toBe(httpStatus);
  expect(error.data).toMatchObject({ error: { type, code: envelopeCode, message: error.message } });
  expect(JSON.parse(error.responseBody ?? '')).toEqual(error.data);
}

describe('errors of the language model', () => {
  it('are all reached', () => {
    const possible = Object.entries(ERROR_TABLE).filter(([, { never }]) => never?.['ai-sdk'] === undefined);
    expect(Object.keys(CASES).sort()).toEqual(possible.map(([code]) => code).sort());
  });

  it.each(Object.entries(CASES) as [RlmErrorCode, Case][])('%s', async (code, { replies, rlm, door, call, during }) => {
    const open = await doorOf(replies ?? ['FINAL("ok")'], { ...door, ...(rlm !== undefined && { rlm }) });
    if (code === 'overloaded') await fill(open);
    const failing = failureOf(generateText({ model: open.model, prompt: 'q', maxRetries: 0, ...call }));
    if (during !== undefined) {
      await expect.poll(() => open.mock.inFlight).toBe(1);
      await during(open);
    }
    const error = await failing;
    checkForm(error, code);
    expect(error.isRetryable).toBe(code === 'overloaded');
    if (code !== 'overloaded') return;
    expect(Number(error.responseHeaders?.['retry-after-ms'])).toBeGreaterThan(0);
    await open.rlm.close();
  });

  it('name their run, and carry what it gained', async () => {
    const { model } = await doorOf(['x = 1', status(400, { message: 'no' })]);
    const error = await failureOf(generateText({ model, prompt: 'q' }));
    expect(error.responseHeaders?.['x-fathom-run-id']).toMatch(/^[0-9A-Z]{26}$/);
    expect(error.cause).toMatchObject({ result: { usage: { calls: 2 }, trajectory: { turns: [{ reply: 'x = 1' }] } } });
  });

  it('of the code that makes the request are the caller’s own', async () => {
    const { model } = await doorOf([], {
      toRequest: () => {
        throw new TypeError('mine');
      },
    });
    await expect(generateText({ model, prompt: 'q' })).rejects.toThrow(new TypeError('mine'));
    await expect(streamText({ model, prompt: 'q', onError: () => undefined }).text).rejects.toThrow(
      'No output generated',
    );
  });
});
