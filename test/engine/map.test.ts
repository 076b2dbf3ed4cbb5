/** rlm.map: one question over many contexts, many questions over one, under one account. */
import { describe, expect, it } from 'vitest';
import { contexts, type RunEvent } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';

const PRICES = { 'scripted/priced': { input: 1, output: 1 } } as const;
const unasked = (): never => {
  throw new Error('nothing may be sent');
};
/** Answers with the length of the context, or with the query; each run takes one turn. */
const LENGTH = cell('FINAL(len(context))');

describe('rlm.map', () => {
  it('asks one question of many contexts, in order', async () => {
    const rlm = rlmOf({ model: scriptedModel(() => LENGTH) });
    const texts = Array.from({ length: 9 }, (_, n) => 'x'.repeat(9 - n));
    const { items, usage, subCalls } = await rlm.map({ query: 'How long?', contexts: texts, concurrency: 3 });
    expect(items.map((item) => (item.ok ? item.result.text : item.error))).toEqual([...'987654321']);
    expect(items.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(new Set(items.map((item) => (item.ok ? item.result.runId : ''))).size).toBe(9);
    const sum = items.reduce((total, item) => total + (item.ok ? item.result.usage.inputTokens : 0), 0);
    expect([usage.inputTokens, subCalls]).toEqual([sum, 0]);
  });

  it('asks many questions of one context, with a typed answer and named contexts', async () => {
    const rlm = rlmOf({ model: scriptedModel(() => cell('FINAL([context["a"], len(context["b"])])')) });
    const context = contexts({ a: 'left', b: 'right!' });
    const { items } = await rlm.map({ queries: ['one', 'two', 'three'], context });
    expect(items.map((item) => item.ok && item.result.text)).toEqual(Array(3).fill('["left", 6]'));
  });

  it('gives the failure of an item in its place; the others continue', async () => {
    const rlm = rlmOf({ model: scriptedModel(() => LENGTH) });
    const { items } = await rlm.map({ query: 'q', contexts: ['a', Buffer.from('b') as never, 'ccc'] });
    expect(items.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(items[1]).toMatchObject({ error: { code: 'context-invalid', result: { turns: 0 } } });
    const asked = await rlm.map({ queries: ['q', ' '], context: 'x' });
    expect(asked.items[1]).toMatchObject({ ok: false, error: { code: 'invalid-option' } });
  });

  it.each([
    [{}, 'needs either queries'],
    [{ query: 'q', contexts: ['a'], queries: ['b'] }, 'needs either queries'],
    [{ queries: 'q' }, 'must be a list'],
    [{ query: 'q', contexts: { a: 1 } }, 'must be a list'],
    [{ query: 'q', queries: ['a'] }, 'not both'],
    [{ query: 'q', context: 'x', contexts: ['a'] }, 'not both'],
    [{ queries: ['a'], concurrency: 0 }, 'whole number from 1'],
    [{ queries: ['a'], limit: {} }, 'Did you mean limits?'],
    [{ queries: ['a'], limits: { maxTurns: -1 } }, 'maxTurns'],
    [{ queries: ['a'], signal: 'stop' }, 'AbortSignal'],
  ])('refuses %j before anything is sent', async (request, message) => {
    const rlm = rlmOf({ model: scriptedModel(unasked) });
    await expect(rlm.map(request as never)).rejects.toThrow(message);
    expect(await rlm.map(request as never).catch(() => 'caught')).toBe('caught');
  });

  it('is nothing for an empty list', async () => {
    const { items, usage } = await rlmOf({ model: scriptedModel(unasked) }).map({ queries: [] });
    expect([items, usage.inputTokens]).toEqual([[], 0]);
  });
});

describe('the shared account', () => {
  it('of sub-calls ends where its limit is, whichever run makes them', async () => {
    const code = 'replies = llm_query_batched(["a", "b", "c", "d"])\nFINAL(sum(r.ok for r in replies))';
    const rlm = rlmOf({ model: scriptedModel(() => cell(code)), subModel: scriptedModel(() => 'yes') });
    const all = await rlm.map({ query: 'q', contexts: ['1', '2', '3'], limits: { maxSubCalls: 6 } });
    const answered = all.items.map((item) => (item.ok ? Number(item.result.text) : 0));
    expect(answered.reduce((sum, count) => sum + count, 0)).toBe(6);
    expect(all.subCalls).toBe(6);
    // The control: each run has its own account.
    const alone = await Promise.all(
      ['1', '2', '3'].map((context) => rlm.completion({ query: 'q', context, limits: { maxSubCalls: 6 } })),
    );
    expect(alone.map(({ text }) => text)).toEqual(['4', '4', '4']);
  });

  it('of money is never exceeded by all runs together', async () => {
    const usage = { inputTokens: 1_000, outputTokens: 100 };
    const model = scriptedModel(() => LENGTH, { modelId: 'priced', usage });
    const rlm = rlmOf({ model, prices: PRICES, limits: { maxOutputTokens: 1_000 } });
    const limits = { maxCostUsd: 0.01 };
    const { items, usage: spent } = await rlm.map({
      query: 'q',
      contexts: Array(20).fill('x'),
      limits,
      concurrency: 4,
    });
    expect(spent.costUsd).toBeLessThanOrEqual(0.01);
    expect(model.requests.length).toBeLessThan(20);
    const converged = items.filter((item) => item.ok && item.result.outcome === 'converged').length;
    expect(converged).toBeGreaterThan(2);
    expect(items).toHaveLength(20);
  });

  it('of tokens warns the runs at work', async () => {
    const events: RunEvent[] = [];
    const model = scriptedModel(() => LENGTH, { usage: { inputTokens: 1_000, outputTokens: 100 } });
    const rlm = rlmOf({ model, limits: { maxOutputTokens: 500 }, onEvent: (event) => events.push(event) });
    await rlm.map({ query: 'q', contexts: ['a', 'b', 'c', 'd'], limits: { maxTokens: 6_000 }, concurrency: 1 });
    expect(events.filter((event) => event.type === 'budget.warning')).toMatchObject([
      { resource: 'tokens', fraction: 0.6 },
    ]);
  });
});

describe('events, cancel and finish', () => {
  it('gives the events of all runs, each with one end', async () => {
    const rlm = rlmOf({ model: scriptedModel(() => LENGTH) });
    const run = rlm.map({ query: 'q', contexts: ['a', 'b', 'c', 'd'], concurrency: 2 });
    const ends: RunEvent[] = [];
    for await (const event of run) if (event.type === 'run.completed') ends.push(event);
    const { items } = await run;
    expect(new Set(ends.map(({ runId }) => runId))).toEqual(new Set(items.map((item) => item.ok && item.result.runId)));
    expect(ends).toHaveLength(4);
    // A subscriber that comes afterwards misses nothing.
    let late = 0;
    for await (const event of run) if (event.type === 'run.completed') late += 1;
    expect(late).toBe(4);
  });

  it('a subscriber may leave early', async () => {
    const run = rlmOf({ model: scriptedModel(() => LENGTH) }).map({ query: 'q', contexts: ['a', 'b'] });
    for await (const event of run) if (event.type === 'run.started') break;
    expect((await run).items.every(({ ok }) => ok)).toBe(true);
  });

  it('cancel stops what is at work, and what has not begun sends nothing', async () => {
    const model = scriptedModel(() => LENGTH, { latencyMs: 60_000 });
    const run = rlmOf({ model }).map({ query: 'q', contexts: ['a', 'b', 'c', 'd'], concurrency: 2 });
    for await (const event of run) if (event.type === 'turn.started') break;
    run.cancel('enough');
    const { items } = await run;
    expect(items.map((item) => !item.ok && item.error.code)).toEqual(Array(4).fill('cancelled'));
    expect(model.requests.length).toBeLessThanOrEqual(2);
  });

  it('a signal cancels it', async () => {
    const model = scriptedModel(unasked);
    const { items } = await rlmOf({ model }).map({ queries: ['a', 'b'], signal: AbortSignal.abort('gone') });
    expect(items.map((item) => !item.ok && item.error.code)).toEqual(['cancelled', 'cancelled']);
    expect(model.requests).toHaveLength(0);
  });

  it('finish gives the best answers of what is at work', async () => {
    const replies = [cell('answer["content"] = "kept words"'), 'FINAL("best")'];
    const reply = (asked: string): string => replies[asked.includes('kept words') ? 1 : 0] ?? '';
    const model = scriptedModel(({ messages }) => reply(JSON.stringify(messages)), { latencyMs: 300 });
    const run = rlmOf({ model }).map({ queries: ['a', 'b', 'c'], context: 'x', concurrency: 1 });
    for await (const event of run) if (event.type === 'cell.completed') break;
    run.finish('time for lunch');
    const { items } = await run;
    expect(items[0]).toMatchObject({ ok: true, result: { outcome: expect.stringMatching(/exhausted|converged/) } });
    expect(items[2]).toMatchObject({ ok: false, error: { code: 'cancelled' } });
  });
});
