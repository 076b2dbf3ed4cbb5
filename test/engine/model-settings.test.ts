/** Settings and headers of models, as they reach the wire. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/index.ts';
import { withinReserve } from '../../src/model/model-settings.ts';
import { type MockProvider, type MockRequest, startMockProvider } from '../mock-provider/index.ts';
import { cell, rlmOf } from './harness.ts';

let root: MockProvider;
let sub: MockProvider;
let seen: { readonly at: 'root' | 'sub'; readonly request: MockRequest }[] = [];

const REPLY = cell('FINAL(llm_query("hi"))');

beforeAll(async () => {
  root = await startMockProvider({
    respond: (request) => {
      seen.push({ at: 'root', request });
      return request.prompt === 'hi' ? 'ho' : REPLY;
    },
  });
  sub = await startMockProvider({
    respond: (request) => {
      seen.push({ at: 'sub', request });
      return 'ho';
    },
  });
});

beforeEach(() => {
  seen = [];
});

afterAll(async () => {
  await Promise.all([root.close(), sub.close()]);
});

const bodies = (): readonly unknown[] => seen.map(({ request }) => request.body);
const headersOf = (name: string): readonly unknown[] => seen.map(({ at, request }) => [at, request.headers[name]]);

describe('model settings', () => {
  it('reach root and sub-calls, and are recorded with the run', async () => {
    const store = memoryStore();
    const model = `${root.url}/v1#m`;
    const modelSettings = { temperature: 0.2, reasoningEffort: 'low', sub: { temperature: 1 } } as const;
    const { runId, answer } = await rlmOf({ model, store, modelSettings }).completion({ query: 'Q' });
    expect(answer).toBe('ho');
    expect(bodies()).toMatchObject([
      { temperature: 0.2, reasoning_effort: 'low' },
      { temperature: 1, reasoning_effort: 'low' },
    ]);
    expect((await store.runs.get(runId))?.request).toMatchObject({ modelSettings });
  });

  it('of a request replace those of the Rlm', async () => {
    const rlm = rlmOf({ model: `${root.url}/v1#m`, modelSettings: { temperature: 0.2 } });
    await rlm.completion({ query: 'Q', modelSettings: { reasoningEffort: 'high' } });
    expect(bodies()).toMatchObject([{ reasoning_effort: 'high' }, { reasoning_effort: 'high' }]);
    expect(JSON.stringify(bodies())).not.toContain('temperature');
  });

  it.each(['temperature', 'reasoning_effort'])('without %s where the endpoint refuses it', async (parameter) => {
    root.respondWith((request) => {
      seen.push({ at: 'root', request });
      if (parameter in request.body) {
        const message = `Unsupported parameter: '${parameter}' is not supported with this model.`;
        return { fault: 'status', status: 400, body: JSON.stringify({ error: { message, param: parameter } }) };
      }
      return request.prompt === 'hi' ? 'ho' : REPLY;
    });
    const modelSettings = { temperature: 0.5, reasoningEffort: 'high' } as const;
    const { answer } = await rlmOf({ model: `${root.url}/v1#refusing`, modelSettings }).completion({
      query: 'Q',
    });
    expect(answer).toBe('ho');
    expect(seen.map(({ request }) => parameter in request.body)).toEqual([true, false, false]);
    root.respondWith((request) => {
      seen.push({ at: 'root', request });
      return request.prompt === 'hi' ? 'ho' : REPLY;
    });
  });

  it.each([
    [{ temperature: -1 }],
    [{ temperature: Number.NaN }],
    [{ reasoningEffort: 'enormous' }],
    [{ effort: 'low' }],
    [{ sub: { sub: {} } }],
  ])('%j is refused before anything is sent', async (modelSettings) => {
    const model = `${root.url}/v1#m`;
    expect(() => rlmOf({ model, modelSettings: modelSettings as never })).toThrow('modelSettings');
    const run = rlmOf({ model }).completion({ query: 'Q', modelSettings: modelSettings as never });
    await expect(run).rejects.toMatchObject({ code: 'invalid-option' });
    expect(seen).toEqual([]);
  });
});

describe('headers', () => {
  const models = () => ({ model: `${root.url}/v1#m`, subModel: `${sub.url}/v1#m` });

  it('of an origin go to that server alone, and into no record', async () => {
    const store = memoryStore();
    const headers = { [root.url]: { 'X-Team': 'a-secret-team-name' } };
    const result = await rlmOf({ ...models(), store, headers }).completion({ query: 'Q' });
    expect(headersOf('x-team')).toEqual([
      ['root', 'a-secret-team-name'],
      ['sub', undefined],
    ]);
    const events = await store.events.read(result.runId);
    const kept = JSON.stringify([await store.runs.get(result.runId), events]);
    expect(kept).not.toContain('a-secret-team-name');
  });

  it('of a model win over those of its origin', async () => {
    const headers = { [root.url]: { 'x-team': 'one', 'x-more': '1' }, [`${root.url}/v1#m`]: { 'x-team': 'two' } };
    await rlmOf({ ...models(), headers }).completion({ query: 'Q' });
    expect(headersOf('x-team')[0]).toEqual(['root', 'two']);
    expect(headersOf('x-more')[0]).toEqual(['root', '1']);
  });

  it.each([
    ['a name with a blank', { 'X Team': 'a' }],
    ['a value with a line end', { 'X-Team': 'a\r\nHost: elsewhere' }],
    ['a header of the connection', { 'Content-Length': '1' }],
    ['the host', { host: 'elsewhere' }],
  ])('%s is refused', (_, own) => {
    expect(() => rlmOf({ ...models(), headers: { m: own } })).toThrow('headers');
  });
});

describe('a body with a number of tokens for thinking', () => {
  const thinking = { type: 'enabled', budget_tokens: 12_000 };

  it('asks for no more than was reserved', () => {
    const body = { model: 'm', max_tokens: 20_192, thinking };
    expect(withinReserve(body, 8_192)).toEqual({
      model: 'm',
      max_tokens: 8_192,
      thinking: { type: 'enabled', budget_tokens: 6_553 },
    });
  });

  it('does not think where there is no room for it', () => {
    expect(withinReserve({ max_tokens: 13_000, thinking }, 1_000)).toEqual({ max_tokens: 1_000 });
  });

  it('stays as it is within the reserve, or with adaptive thinking', () => {
    const small = { max_tokens: 8_192, thinking: { type: 'enabled', budget_tokens: 2_000 } };
    expect(withinReserve(small, 8_192)).toBe(small);
    const adaptive = { max_tokens: 9_000, thinking: { type: 'adaptive' } };
    expect(withinReserve(adaptive, 8_192)).toEqual({ max_tokens: 8_192, thinking: { type: 'adaptive' } });
  });
});
