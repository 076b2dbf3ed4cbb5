/** Each code of the error table that the server can raise is reached through it, over real sockets. */
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, errorRow } from '../../src/error-table.ts';
import type { RlmErrorCode, RlmOptions } from '../../src/index.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import { FAULTS_BELOW_DOORS, fullStore, HANGING, lockingStore } from '../door-faults.ts';
import type { MockReply } from '../mock-provider/index.ts';
import { final, type RawResponse, raw, type Served, serve, until } from './harness.ts';

type Json = Readonly<Record<string, unknown>>;

/** How a code is reached. */
interface Case {
  readonly reply?: MockReply;
  readonly rlm?: Partial<RlmOptions>;
  readonly server?: Partial<Omit<ServerOptions, 'rlm' | 'store'>>;
  /** The request that fails. Default: a chat. */
  readonly ask?: (served: Served) => Promise<RawResponse>;
}

const ASK = { model: 'fathom', messages: [{ role: 'user', content: 'Is it?' }] };
const chat = ({ server }: Served, more: Json = {}): Promise<RawResponse> =>
  raw(`${server.url}/v1/chat/completions`, { body: { ...ASK, ...more } });
const post = ({ server }: Served, path: string, body: Json): Promise<RawResponse> =>
  raw(`${server.url}/v1/${path}`, { body });

/** A request in a new session, after commands that have to succeed. */
function inSession(method: string, path: string, body?: Json, before: readonly (readonly [string, Json])[] = []) {
  return async (served: Served): Promise<RawResponse> => {
    const { json } = await post(served, 'sessions', {});
    const session = `sessions/${String(json.id)}`;
    for (const [earlier, given] of before) {
      const { text, status: code } = await post(served, `${session}/${earlier}`, given);
      if (code > 201) throw new Error(text);
    }
    return await raw(`${served.server.url}/v1/${session}${path}`, { method, body });
  };
}

const locked = lockingStore();
const otherSession = lockingStore();
const WIDE: Partial<RlmOptions> = { maxRepls: 4 };

const CASES: Readonly<Partial<Record<RlmErrorCode, Case>>> = {
  ...FAULTS_BELOW_DOORS,
  'invalid-name': { rlm: WIDE, ask: inSession('PUT', '/variables/1x', { value: 1 }) },
  'reserved-name': { rlm: WIDE, ask: inSession('PUT', '/variables/llm_query', { value: 1 }) },
  'duplicate-name': {
    rlm: { tools: { files: { description: 'd', execute: () => 1 } } },
    ask: (served) => post(served, 'runs', { query: 'q', context: 'a', files: [{ name: 'a', text: 'b' }] }),
  },
  'invalid-limit': { rlm: WIDE, ask: (served) => post(served, 'sessions', { lifetime_ms: 1e300 }) },
  'invalid-option': { ask: (served) => chat(served, { n: 3 }) },
  'variable-not-found': { rlm: WIDE, ask: inSession('GET', '/variables/missing') },
  'not-json': { rlm: WIDE, ask: inSession('GET', '/variables/o', undefined, [['execute', { code: 'o = object()' }]]) },
  'snapshot-not-found': { rlm: WIDE, ask: inSession('POST', '/rollback', { name: 'missing' }) },
  'snapshot-exists': { rlm: WIDE, ask: inSession('POST', '/snapshots', { name: 's' }, [['snapshots', { name: 's' }]]) },
  'snapshot-limit': {
    rlm: { ...WIDE, limits: { maxSnapshots: 1 } },
    ask: inSession('POST', '/snapshots', { name: 't' }, [['snapshots', { name: 's' }]]),
  },
  'extension-limit': {
    rlm: WIDE,
    ask: inSession('POST', '/extend', {}, [
      ['extend', {}],
      ['extend', {}],
      ['extend', {}],
    ]),
  },
  'session-not-found': { ask: (served) => post(served, 'sessions/01ARZ3NDEKTSV4RRFFQ69G5FAV/execute', { code: '1' }) },
  'session-closed': {
    rlm: WIDE,
    ask: async (served) => {
      const { json } = await post(served, 'sessions', {});
      await raw(`${served.server.url}/v1/sessions/${String(json.id)}`, { method: 'DELETE' });
      return await post(served, `sessions/${String(json.id)}/execute`, { code: '1' });
    },
  },
  'session-expired': {
    rlm: WIDE,
    ask: async (served) => {
      const { json } = await post(served, 'sessions', { lifetime_ms: 50 });
      const url = `${served.server.url}/v1/sessions/${String(json.id)}`;
      await until(async () => (await raw(url)).json.state === 'expired', 'the session has expired');
      return await post(served, `sessions/${String(json.id)}/execute`, { code: '1' });
    },
  },
  'session-locked': {
    rlm: { ...WIDE, store: otherSession.store },
    ask: async (served) => {
      const { json } = await post(served, 'sessions', {});
      const record = await served.store.sessions.get(String(json.id));
      if (record === undefined) throw new Error('no record');
      // A session of the store that this process does not have open.
      const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
      await served.store.sessions.put({ ...record, id });
      otherSession.lockAll();
      return await post(served, `sessions/${id}/execute`, { code: '1' });
    },
  },
  'run-not-found': { ask: ({ server }) => raw(`${server.url}/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV`) },
  'run-locked': {
    reply: HANGING,
    rlm: { store: locked.store },
    ask: async (served) => {
      const run = served.rlm.completion({ query: 'q' });
      await until(() => served.mock.inFlight === 1, 'the run is at work');
      run.pause();
      await run.catch(() => undefined);
      locked.lockAll();
      return await post(served, `runs/${run.id}/resume`, {});
    },
  },
  'model-not-found': { ask: (served) => chat(served, { model: 'other' }) },
  'price-unknown': { server: { models: { fathom: { limits: { maxCostUsd: 1 } } } } },
  'context-not-found': {
    server: { folders: ['docs'] },
    ask: (served) => post(served, 'runs', { query: 'q', paths: ['missing.md'] }),
  },
  'context-invalid': {
    ask: (served) =>
      chat(served, {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'q' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            ],
          },
        ],
      }),
  },
  overloaded: {
    reply: HANGING,
    server: { limits: { maxRunsPerKey: 1 } },
    ask: async (served) => {
      await post(served, 'runs', { query: 'q' });
      return await chat(served);
    },
  },
  cancelled: {
    reply: HANGING,
    ask: async (served) => {
      const asked = chat(served);
      await until(() => served.mock.inFlight === 1, 'the run is at work');
      await served.rlm.close();
      return await asked;
    },
  },
  'store-failure': { rlm: { store: fullStore() } },
};

describe('errors of the server', () => {
  it('are all reached', () => {
    const possible = Object.entries(ERROR_TABLE).filter(([, { never }]) => never?.server === undefined);
    expect(Object.keys(CASES).sort()).toEqual(possible.map(([code]) => code).sort());
  });

  it.each(Object.entries(CASES) as [RlmErrorCode, Case][])('%s', async (code, { reply, rlm, server, ask = chat }) => {
    const served = await serve({
      respond: () => reply ?? final('ok'),
      ...(rlm !== undefined && { rlm }),
      ...(server !== undefined && { server }),
    });
    const { status: httpStatus, json, headers } = await ask(served);
    const { status: wanted, type, envelopeCode = code } = errorRow(code);
    expect({ status: httpStatus, json }).toMatchObject({
      status: wanted,
      json: { error: { type, code: envelopeCode } },
    });
    expect(headers['x-should-retry']).toBe(String(code === 'overloaded'));
  });
});
