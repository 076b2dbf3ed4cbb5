/** Plans: the route and the cost of a run, before anything of it is sent. */
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  CompletionError,
  type CompletionRequest,
  contexts,
  memoryStore,
  projected,
  type ReplBackend,
  type RlmOptions,
  type RunEvent,
  type Store,
} from '../../src/index.ts';
import { type ScriptedModel, type ScriptedReply, scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';

const SMALL = 'The butler did it.';
const LARGE = 'It was a dark night. '.repeat(1_000);
/** US dollars per million tokens. */
const PRICES = { 'openai/gpt-4': { input: 30, output: 60 }, 'openai/sub': { input: 1, output: 100 } };

// Models of `allowedModels` are strings, which need a key; nothing is sent to them.
vi.stubEnv('OPENAI_API_KEY', 'unused');
vi.stubEnv('OPENROUTER_API_KEY', 'unused');
afterAll(() => vi.unstubAllEnvs());

const models: ScriptedModel[] = [];
afterEach(() => models.splice(0));

/** A scripted model with the window of a real one: 8 192 tokens for `gpt-4`. */
function windowed(modelId = 'gpt-4', replies: readonly ScriptedReply[] = []): ScriptedModel {
  const model = { ...scriptedModel(replies, { modelId }), provider: 'openai' };
  models.push(model);
  return model;
}

const sent = (): number => models.reduce((sum, { requests }) => sum + requests.length, 0);

/** No REPL may be opened on it. */
const noRepl: ReplBackend = {
  name: 'python',
  open: () => Promise.reject(new Error('a plan opens no REPL')),
  close: () => Promise.resolve(),
};

async function plan(request: Partial<CompletionRequest<unknown>> = {}, options: Partial<RlmOptions> = {}) {
  const rlm = rlmOf({ model: windowed(), prices: PRICES, repl: noRepl, ...options });
  return await rlm.plan({ query: 'Who did it?', context: SMALL, ...request });
}

describe('a plan', () => {
  it('states the route that the run then takes, and stores, emits and sends nothing', async () => {
    const store = memoryStore();
    const events: RunEvent[] = [];
    const model = windowed('gpt-4', ['the butler']);
    const rlm = rlmOf({ model, prices: PRICES, store, onEvent: (event) => events.push(event) });
    const request = { query: 'Who did it?', context: SMALL, mode: 'auto' } as const;
    const planned = await rlm.plan(request);
    expect(await store.runs.list()).toEqual([]);
    expect(await store.sessions.list()).toEqual([]);
    expect({ events: events.length, sent: sent(), runs: rlm.status().runs }).toEqual({ events: 0, sent: 0, runs: 0 });
    const { route } = await rlm.completion(request);
    expect(planned.route).toEqual(route);
    expect(planned).toMatchObject({
      ...{ mode: 'auto', route: { chosen: 'direct', window: 8_192 }, contextBytes: SMALL.length },
      contexts: [{ name: 'context', type: 'str', size: SMALL.length }],
    });
    expect(model.requests).toHaveLength(1);
  });

  it.each<[string, Partial<CompletionRequest<unknown>>, object, RegExp]>([
    ['always', {}, { chosen: 'loop', tokens: null, window: 8_192 }, /^the mode is always$/],
    ['direct', { mode: 'direct', context: LARGE }, { chosen: 'direct' }, /^the mode is direct$/],
    ['auto with a large context', { mode: 'auto', context: LARGE }, { chosen: 'loop' }, /more than 35 %/],
    ['auto with a projection', { mode: 'auto', context: projected(SMALL) }, { chosen: 'loop' }, /projected/],
  ])('in mode %s has the route and its reason, without a REPL', async (_, request, route, reason) => {
    const planned = await plan(request);
    expect(planned.route).toMatchObject({ ...route, reason: expect.stringMatching(reason) });
    expect(sent()).toBe(0);
  });

  it('names the models with their windows and prices, by depth, and those that code may name', async () => {
    const planned = await plan(
      { limits: { maxDepth: 2 } },
      { subModel: [windowed('sub'), windowed('nameless')], allowedModels: ['openai/gpt-5', 'unknown/model'] },
    );
    expect(planned.models).toMatchObject({
      root: { id: 'openai/gpt-4', window: 8_192, price: PRICES['openai/gpt-4'] },
      sub: [
        { id: 'openai/sub', window: null, price: PRICES['openai/sub'] },
        { id: 'openai/nameless', price: null },
      ],
      allowed: [{ id: 'openai/gpt-5', window: 400_000 }],
    });
    expect((await plan({ limits: { maxDepth: 0 } }, { allowedModels: ['openai/gpt-5'] })).models).toMatchObject({
      ...{ sub: [], allowed: [] },
    });
  });
});

describe('the worst case', () => {
  const limits = { maxTurns: 4, maxSubCalls: 10, maxTokens: 1_000_000 };

  it.each<[string, Partial<CompletionRequest<unknown>>, Partial<RlmOptions>, object]>([
    // Four turns, a summary of old turns before the last, one last call, ten sub-calls; a million output tokens of gpt-4.
    ['flat sub-calls', {}, {}, { calls: 16, tokens: 1_000_000, costUsd: 60 }],
    ['no sub-calls', { limits: { ...limits, maxDepth: 0 } }, {}, { calls: 6, costUsd: 60 }],
    ['no room for sub-calls', { limits: { ...limits, maxSubCalls: 0 } }, {}, { calls: 6 }],
    ['children', { limits: { ...limits, maxDepth: 2 } }, {}, { calls: 6 + 10 * 6 }],
    ['a direct call first', { mode: 'direct' }, {}, { calls: 17 }],
    ['a dearer sub-model', {}, { subModel: windowed('sub') }, { costUsd: 100 }],
    [
      'a dearer model that code may name',
      {},
      { prices: { ...PRICES, 'openai/gpt-5': { input: 500, output: 1 } }, allowedModels: ['openai/gpt-5'] },
      { costUsd: 500 },
    ],
    ['a limit on money', { limits: { ...limits, maxCostUsd: 2 } }, {}, { costUsd: 2 }],
    ['a limit on money alone', { limits: { maxTokens: Number.POSITIVE_INFINITY, maxCostUsd: 2 } }, {}, { costUsd: 2 }],
    [
      'no limits',
      { limits: { maxTurns: Number.POSITIVE_INFINITY, maxTokens: Number.POSITIVE_INFINITY } },
      {},
      {
        ...{ calls: null, tokens: null, costUsd: null },
        reasons: ['maxTurns is Infinity', 'maxTokens is Infinity', 'neither maxTokens nor maxCostUsd bounds the cost'],
      },
    ],
    [
      'an unknown price',
      {},
      { subModel: windowed('nameless') },
      { calls: 16, costUsd: null, reasons: ['the price of openai/nameless is not known'] },
    ],
    [
      'a model whose provider reports the cost afterwards',
      { model: 'openrouter/unknown/model', limits: { ...limits, maxCostUsd: 2 } },
      {},
      {
        costUsd: null,
        reasons: ['the price of openrouter/unknown/model is not known before its provider reports the cost of a call'],
      },
    ],
    [
      'models without a charge',
      { limits: { maxTokens: Number.POSITIVE_INFINITY } },
      { prices: { 'openai/gpt-4': { input: 0, output: 0 } } },
      { tokens: null, costUsd: 0 },
    ],
  ])('with %s', async (_, request, options, worst) => {
    expect((await plan({ limits, ...request }, options)).worst).toMatchObject(worst);
  });

  it('of a direct call is what the ledger reserves for it', async () => {
    const request = { mode: 'direct', limits: { maxOutputTokens: 100 } } as const;
    const { route, direct } = await plan(request);
    const tokens = route.tokens ?? 0;
    expect(tokens).toBeGreaterThan(0);
    expect(direct).toEqual({
      ...{ calls: 1, tokens: tokens + 100, costUsd: (tokens * 30 + 100 * 60) / 1e6, reasons: [] },
    });
    expect((await plan()).direct).toBeNull();
    // The ledger takes exactly so much, and refuses it with a token less.
    for (const [maxTokens, calls] of [
      [tokens + 100, 1],
      [tokens + 99, 0],
    ] as const) {
      const model = windowed('gpt-4', ['the butler']);
      const limited = { ...request, limits: { ...request.limits, maxTokens } };
      const result = await rlmOf({ model, prices: PRICES }).completion({
        query: 'Who did it?',
        context: SMALL,
        ...limited,
      });
      expect(result.usage.calls).toBe(calls);
    }
  });

  it('is not below what a run at its limits uses', async () => {
    const loop = { maxTurns: 2, maxSubCalls: 3, maxTokens: 60_000 };
    const code = cell(
      'for i in range(9):',
      '    try:',
      '        llm_query("hi")',
      '    except Exception:',
      '        pass',
    );
    const model = windowed('gpt-4', [code, code, 'the butler']);
    const subModel = { ...scriptedModel(() => 'ho', { modelId: 'sub' }), provider: 'openai' };
    const rlm = rlmOf({ model, subModel, prices: PRICES });
    const request = { query: 'Who did it?', context: SMALL, limits: loop };
    const { worst } = await rlm.plan(request);
    const { usage, outcome } = await rlm.completion(request);
    expect(outcome).toBe('exhausted');
    expect(usage.calls).toBe(worst.calls);
    expect(usage.inputTokens + usage.outputTokens).toBeLessThanOrEqual(worst.tokens ?? 0);
    expect(usage.costUsd).toBeLessThanOrEqual(worst.costUsd ?? 0);
  });
});

describe('the typical figures', () => {
  /** A store with runs of so many turns each. */
  async function storeWith(turns: readonly number[], request: Partial<CompletionRequest> = {}): Promise<Store> {
    const store = memoryStore();
    for (const count of turns) {
      const replies = Array.from({ length: count }, (_, index) =>
        cell(index + 1 === count ? 'FINAL("ok")' : `print(len(context), ${index})`),
      );
      const rlm = rlmOf({ model: windowed('gpt-4', replies), prices: PRICES, store });
      await rlm.completion({ query: 'q', context: SMALL, ...request });
    }
    return store;
  }

  it('are the medians of like runs of the store', async () => {
    const store = await storeWith([1, 3, 2]);
    const records = await store.runs.list();
    const tokensOf = records.map(({ result }) => (result?.inputTokens ?? 0) + (result?.outputTokens ?? 0));
    const costs = records.map(({ result }) => result?.costUsd ?? 0);
    const { typical } = await plan({}, { store });
    expect(typical).toEqual({
      ...{ runs: 3, calls: 2, tokens: tokensOf.sort((a, b) => a - b)[1], costUsd: costs.sort((a, b) => a - b)[1] },
      reasons: [],
    });
    // A cost that was not known then is not known now.
    for (const record of records)
      await store.runs.put({ ...record, ...(record.result && { result: { ...record.result, costUsd: null } }) });
    expect((await plan({}, { store })).typical).toMatchObject({
      calls: 2,
      costUsd: null,
      reasons: ['the cost of a like run is not known'],
    });
  });

  it('are unknown where fewer than three runs have the same models, route and size', async () => {
    const store = await storeWith([1, 1, 1]);
    const known = async (request: Partial<CompletionRequest<unknown>>, options: Partial<RlmOptions> = {}) =>
      (await plan(request, { store, ...options })).typical;
    expect(await known({})).toMatchObject({ runs: 3, calls: 1 });
    expect(await known({ context: SMALL.repeat(2) })).toMatchObject({ runs: 3, calls: 1 });
    const none = { runs: 0, calls: null, tokens: null, costUsd: null };
    expect(await known({ context: SMALL.repeat(3) })).toMatchObject(none);
    expect(await known({ context: SMALL.slice(0, 8) })).toMatchObject(none);
    expect(await known({ mode: 'direct' })).toMatchObject(none);
    expect(await known({}, { model: windowed('gpt-4o') })).toMatchObject(none);
    expect(await known({}, { subModel: windowed('sub') })).toMatchObject(none);
    expect(await known({ context: projected(SMALL) })).toMatchObject({
      ...none,
      reasons: [expect.stringContaining('projected')],
    });
    const two = await plan({}, { store: await storeWith([1, 1]) });
    expect(two.typical).toMatchObject({ ...none, runs: 2, reasons: ['the store has 2 like runs, and 3 are needed'] });
  });
});

describe('a request that cannot be right', () => {
  const tool = { description: 'd', execute: () => 1 };

  it.each<[string, object, Partial<RlmOptions>]>([
    ['no query', { query: ' ' }, {}],
    ['an unknown option', { contxt: 'x' }, {}],
    ['an unknown mode', { mode: 'sometimes' }, {}],
    ['an unknown limit', { limits: { maxTurn: 1 } }, {}],
    ['an unknown model', { model: 'unknown/model' }, {}],
    ['a file that is not there', { context: '/', model: 'openai/' }, {}],
    ['no price under a limit on money', { model: windowed('nameless'), limits: { maxCostUsd: 1 } }, {}],
    ['a context with a reserved name', { context: contexts({ llm_query: 'x' }) }, {}],
    ['a context with the name of a tool', { context: contexts({ look: 'x' }), tools: { look: tool } }, {}],
    ['an unknown REPL', { repl: 'node' }, {}],
    ['an invalid signal', { signal: 'soon' }, {}],
    ['an aborted signal', { signal: AbortSignal.abort() }, {}],
    ['a schema of another form', { output: {} }, {}],
  ])('is refused with the error of the run: %s', async (_, wrong, options) => {
    const rlm = rlmOf({ model: windowed('gpt-4', []), ...options });
    const request = { query: 'Who did it?', context: SMALL, ...wrong } as CompletionRequest;
    const ofRun = await Promise.resolve(rlm.completion(request)).catch((error: unknown) => error);
    const ofPlan = await rlm.plan(request).catch((error: unknown) => error);
    if (!(ofRun instanceof CompletionError)) throw new Error('the run was expected to fail');
    expect(ofPlan).toMatchObject({ code: ofRun.code, message: ofRun.message });
    expect(sent()).toBe(0);
  });

  it('is refused by a closed Rlm', async () => {
    const rlm = rlmOf({ model: windowed() });
    await rlm.close();
    await expect(rlm.plan({ query: 'q' })).rejects.toMatchObject({ code: 'session-closed' });
  });
});
