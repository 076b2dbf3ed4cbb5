import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APICallError } from '@ai-sdk/provider';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type CompletionError, memoryStore, type RunEvent, sqliteStore } from '../../src/index.ts';
import { type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { cell, checkEvents, rlmOf } from './harness.ts';

/** A root that asks eight sub-calls over two turns and then answers with all of them. */
const ROOT = [
  cell('a = llm_query_batched([f"a{i}" for i in range(4)])', 'print(*a)'),
  cell('b = [llm_query(f"b{i}") for i in range(4)]', 'print(*b)'),
  cell('FINAL(" ".join([*a, *b]))'),
];
const ANSWER = 'A0 A1 A2 A3 B0 B1 B2 B3';

/** A model that stops the run with a quota error after so many calls, once. */
function quotaAfter(calls: number): { readonly respond: ScriptedResponder; readonly prompts: string[] } {
  const prompts: string[] = [];
  let stopped = false;
  return {
    prompts,
    respond: ({ prompt }) => {
      if (prompts.length === calls && !stopped) {
        stopped = true;
        return new APICallError({
          message: 'You exceeded your current quota',
          url: 'http://127.0.0.1/v1',
          requestBodyValues: {},
          statusCode: 429,
          responseBody: JSON.stringify({
            error: { code: 'insufficient_quota', message: 'You exceeded your current quota' },
          }),
        });
      }
      prompts.push(prompt);
      return prompt.toUpperCase();
    },
  };
}

describe('a run that is resumed', () => {
  it.each([0, 2, 4, 6])('continues after %d sub-calls without paying for them again', async (calls) => {
    const store = memoryStore();
    const { respond, prompts } = quotaAfter(calls);
    const root = scriptedModel(ROOT, { modelId: 'root' });
    const events: RunEvent[] = [];
    const make = (): ReturnType<typeof rlmOf> =>
      rlmOf({
        model: root,
        subModel: scriptedModel(respond, { modelId: 'sub' }),
        store,
        onEvent: (event) => events.push(event),
        limits: { maxConcurrentCalls: 1 },
      });
    const first = make().completion({ query: 'go', context: 'text' });
    const failure = await Promise.resolve(first).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ resumable: true, result: { outcome: 'failed', stop: 'model-failure' } });
    expect((await store.runs.get(first.id))?.status).toBe('paused');

    const second = make().resume(first.id);
    expect(await second).toMatchObject({ outcome: 'converged', answer: ANSWER, turns: 3, subCalls: 9 }); // the refused one was sent, too
    expect([...prompts].sort()).toEqual(['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3']);
    expect(root.requests.length).toBe(3);
    const stored = await store.events.read(first.id);
    expect(checkEvents(stored)).toEqual([]);
    expect((await store.runs.get(first.id))?.status).toBe('completed');
  });

  it('takes the schema of its answer again, and no other', async () => {
    const store = memoryStore();
    const { respond } = quotaAfter(0);
    const root = [cell('r = llm_query("7")\nFINAL({"n": int(r)})')];
    const rlm = rlmOf({ model: scriptedModel(root), subModel: scriptedModel(respond), store });
    const output = z.object({ n: z.number() });
    const first = rlm.completion({ query: 'go', context: 'text', output });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    for (const wrong of [z.object({ m: z.number() }) as never, z.string() as never, { type: 'object' } as never]) {
      await expect(Promise.resolve(rlm.resume(first.id, { output: wrong }))).rejects.toMatchObject({
        ...{ code: 'invalid-option', message: expect.stringContaining('output') },
      });
    }
    await expect(Promise.resolve(rlm.resume(first.id, { outputs: output } as never))).rejects.toThrow(
      'resume has no option outputs. Did you mean output?',
    );
    const resumed = await rlm.resume<{ n: number }>(first.id, { output });
    expect(resumed).toMatchObject({ outcome: 'converged', answer: { n: 7 } });
  });

  it('continues once, however often it is asked for', async () => {
    const store = memoryStore();
    const { respond } = quotaAfter(2);
    const models = {
      model: scriptedModel(ROOT, { modelId: 'root' }),
      subModel: scriptedModel(respond, { modelId: 'sub' }),
    };
    const rlm = rlmOf({ ...models, store, limits: { maxConcurrentCalls: 1 } });
    const first = rlm.completion({ query: 'go', context: 'text' });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    const [one, other] = await Promise.allSettled([rlm.resume(first.id), rlm.resume(first.id)]);
    expect(one).toMatchObject({ status: 'fulfilled', value: { answer: ANSWER } });
    expect(other).toMatchObject({ status: 'rejected', reason: { code: 'invalid-option' } });
  });

  it('reports the earlier usage when it is cancelled before it begins', async () => {
    const store = memoryStore();
    const { respond } = quotaAfter(2);
    const rlm = rlmOf({
      model: scriptedModel(ROOT, { modelId: 'root' }),
      subModel: scriptedModel(respond, { modelId: 'sub' }),
      store,
      limits: { maxConcurrentCalls: 1 },
    });
    const first = rlm.completion({ query: 'go', context: 'text' });
    const { result } = (await Promise.resolve(first).catch((error: unknown) => error)) as CompletionError;
    const again = rlm.resume(first.id, { signal: AbortSignal.abort('not now') });
    await expect(Promise.resolve(again)).rejects.toMatchObject({
      code: 'cancelled',
      result: { subCalls: result.subCalls, usage: { inputTokens: result.usage.inputTokens } },
    });
  });

  it('reports the whole usage of its children, before the interruption and after', async () => {
    const store = memoryStore();
    const { respond } = quotaAfter(3);
    // Depth 1 asks twice in two turns and answers; its third call, of depth 2, meets the spent quota.
    const child = [
      cell('print(llm_query("a"))'),
      cell('print(llm_query("b"), llm_query("c"), llm_query("d"))'),
      'FINAL(y)',
    ];
    const rlm = rlmOf({
      model: scriptedModel([cell('r = rlm_query("who?")', 'print(r.usage)'), 'FINAL(x)'], { modelId: 'root' }),
      subModel: [scriptedModel(child, { modelId: 'child' }), scriptedModel(respond, { modelId: 'leaf' })],
      store,
      limits: { maxDepth: 2 },
    });
    const first = rlm.completion({ query: 'go' });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    const { usage, trajectory, subCalls } = await rlm.resume(first.id);
    const { 1: own, 2: below } = usage.byDepth;
    const [called] = trajectory.turns[0]?.commands[0]?.subCalls ?? [];
    expect(called?.usage).toMatchObject({
      inputTokens: (own?.inputTokens ?? 0) + (below?.inputTokens ?? 0),
      outputTokens: (own?.outputTokens ?? 0) + (below?.outputTokens ?? 0),
    });
    const ends = (await store.events.read(called?.child?.runId ?? '')).filter(({ type }) => type === 'run.completed');
    expect(ends.at(-1)).toMatchObject({ subCalls: subCalls - 1 });
  });

  it('keeps infinite limits', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fathom-resume-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const store = sqliteStore(folder);
    const { respond } = quotaAfter(2);
    const models = {
      model: scriptedModel(ROOT, { modelId: 'root' }),
      subModel: scriptedModel(respond, { modelId: 'sub' }),
    };
    const none = Number.POSITIVE_INFINITY;
    const limits = { maxConcurrentCalls: 1, maxTurns: none, maxTokens: none, maxDurationMs: none, maxDepth: none };
    const rlm = rlmOf({ ...models, store, limits });
    const first = rlm.completion({ query: 'go', context: 'text' });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    expect(await rlm.resume(first.id)).toMatchObject({ outcome: 'converged', answer: ANSWER });
    await rlm.close();
    await store.close();
  });

  it('stays paused when it cannot begin again, and continues once what was missing is there', async () => {
    const store = memoryStore();
    const { respond } = quotaAfter(2);
    const models = {
      model: scriptedModel(ROOT, { modelId: 'root' }),
      subModel: scriptedModel(respond, { modelId: 'sub' }),
    };
    const prices = { 'scripted/root': { input: 1, output: 1 }, 'scripted/sub': { input: 1, output: 1 } };
    const limits = { maxConcurrentCalls: 1, maxCostUsd: 10 };
    const rlm = rlmOf({ ...models, store, limits, prices });
    const first = rlm.completion({ query: 'go', context: 'text' });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    await expect(Promise.resolve(rlmOf({ ...models, store }).resume(first.id))).rejects.toMatchObject({
      code: 'price-unknown',
      resumable: true,
    });
    expect((await store.runs.get(first.id))?.status).toBe('paused');
    expect(await rlm.resume(first.id)).toMatchObject({ outcome: 'converged', answer: ANSWER });
  });

  it('keeps the prompt and the rule about inspection it began with, whatever its new Rlm has', async () => {
    const store = memoryStore();
    const { respond } = quotaAfter(0);
    const subModel = scriptedModel(respond, { modelId: 'sub' });
    const begun = scriptedModel([cell('llm_query("a")')], { modelId: 'root' });
    const prompt = { instructions: 'Answer in French.' };
    const first = rlmOf({ model: begun, subModel, store, prompt, requireInspection: false }).completion({
      query: 'go',
      context: 'text',
      instructions: 'In one word.',
    });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });

    const later = scriptedModel(['FINAL(written at once)'], { modelId: 'root' });
    const other = { instructions: 'Answer in German.' };
    const rlm = rlmOf({ model: later, subModel, store, prompt: other, requireInspection: true });
    const { turns, text } = await rlm.resume(first.id);
    expect(later.requests[0]?.messages[0]?.content).toMatch(/Answer in French\.\n\nIn one word\.$/);
    expect(later.requests[0]?.messages[0]?.content).toBe(begun.requests[0]?.messages[0]?.content);
    expect([turns, text]).toEqual([2, 'written at once']);
  });

  it('knows the price of models that its cells named', async () => {
    const store = memoryStore();
    const provider = await startMockProvider({ respond: () => 'named' });
    const name = `${provider.url}/v1#other`;
    const { respond } = quotaAfter(0);
    const price = { input: 1, output: 1 };
    const rlm = rlmOf({
      model: scriptedModel([cell(`a = llm_query("a", model="${name}")`, 'b = llm_query("b")'), 'FINAL(done)'], {
        modelId: 'root',
      }),
      subModel: scriptedModel(respond, { modelId: 'sub' }),
      store,
      allowedModels: [name],
      prices: { 'scripted/root': price, 'scripted/sub': price, 'openai-compatible/other': price, other: price },
    });
    const first = rlm.completion({ query: 'go' });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    const { usage } = await rlm.resume(first.id);
    expect(provider.calls).toHaveLength(1);
    expect(usage.costUsd).toBeGreaterThan(0);
    await provider.close();
  });

  it('is not found, or has ended: an error says so', async () => {
    const store = memoryStore();
    const rlm = rlmOf({ model: scriptedModel(['FINAL(1)']), store });
    await expect(Promise.resolve(rlm.resume('nowhere'))).rejects.toMatchObject({ code: 'run-not-found' });
    const run = rlm.completion({ query: 'x' });
    await run;
    await expect(Promise.resolve(rlm.resume(run.id))).rejects.toMatchObject({ code: 'invalid-option' });
  });
});
