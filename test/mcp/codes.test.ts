/** Each code of the error table that the MCP door can raise is reached through a call of it: no part of Fathom is replaced. */
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_TABLE, errorRow } from '../../src/error-table.ts';
import type { RlmErrorCode, RlmOptions } from '../../src/index.ts';
import type { McpLimits } from '../../src/mcp/index.ts';
import { memoryStore, type SessionRecord, type Store } from '../../src/store/index.ts';
import { FAULTS_BELOW_DOORS, fullStore, HANGING, lockingStore, status } from '../door-faults.ts';
import { type MockProvider, type MockReply, startMockProvider } from '../mock-provider/index.ts';
import { type Called, call, connectPair, type Pair } from './harness.ts';

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'fathom-mcp-codes-')));
  await symlink('/etc/passwd', join(folder, 'out'));
  await writeFile(join(folder, 'a.txt'), 'abc');
});
afterAll(() => rm(folder, { recursive: true }));

interface Served extends Pair {
  readonly mock: MockProvider;
  readonly store: Store;
}

/** How a code is reached. */
interface Case {
  readonly reply?: MockReply;
  readonly rlm?: Partial<Omit<RlmOptions, 'store'>>;
  readonly store?: Store;
  readonly limits?: Partial<McpLimits>;
  /** The call that fails. Default: a question. */
  readonly call?: (served: Served) => Promise<Called>;
}

type Args = Readonly<Record<string, unknown>>;

const ask = ({ client }: Pair, more: Args = { text: 'abc' }): Promise<Called> =>
  call(client, 'ask', { question: 'How long?', ...more });

async function load({ client }: Pair): Promise<unknown> {
  const { data, text } = await call(client, 'load', { text: 'abc' });
  if (data.handle === undefined) throw new Error(text);
  return data.handle;
}

/** A call with a new handle, after others that have to succeed. */
function withHandle(tool: string, args: Args, before: readonly (readonly [tool: string, args: Args])[] = []) {
  return async (served: Served): Promise<Called> => {
    const handle = await load(served);
    for (const [earlier, given] of before) {
      const { isError, text } = await call(served.client, earlier, { handle, ...given });
      if (isError) throw new Error(text);
    }
    return await call(served.client, tool, { handle, ...args });
  };
}

/** A handle whose session another process had, and as it left it. */
async function leftSession(served: Served, left: Partial<SessionRecord> = {}): Promise<string> {
  const record = await served.store.sessions.get(String(await load(served)));
  if (record === undefined) throw new Error('no record');
  const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  await served.store.sessions.put({ ...record, id, ...left });
  return id;
}

/** A call with a handle whose session has ended. */
function withEnded(left: Partial<SessionRecord>) {
  return async (served: Served): Promise<Called> =>
    await call(served.client, 'exec', { handle: await leftSession(served, left), code: '1' });
}

const set = { action: 'set', value: 1 };
const snapshot = (name: string) => ['snapshot', { action: 'create', name }] as const;
const locked = lockingStore();

const CASES: Readonly<Partial<Record<RlmErrorCode, Case>>> = {
  ...FAULTS_BELOW_DOORS,
  'invalid-name': { call: withHandle('variables', { ...set, name: '1x' }) },
  'reserved-name': { call: withHandle('variables', { ...set, name: 'llm_query' }) },
  'invalid-option': { call: ({ client }) => call(client, 'ask', { question: 'q' }) },
  'variable-not-found': { call: withHandle('variables', { action: 'get', name: 'nothing' }) },
  'not-json': { call: withHandle('variables', { action: 'get', name: 'o' }, [['exec', { code: 'o = object()' }]]) },
  'snapshot-not-found': { call: withHandle('rollback', { name: 'nothing' }) },
  'snapshot-exists': { call: withHandle('snapshot', { action: 'create', name: 's' }, [snapshot('s')]) },
  'snapshot-limit': {
    rlm: { limits: { maxSnapshots: 1 } },
    call: withHandle('snapshot', { action: 'create', name: 't' }, [snapshot('s')]),
  },
  'session-not-found': { call: ({ client }) => call(client, 'exec', { handle: 'x', code: '1' }) },
  'session-closed': { call: withEnded({ state: 'terminated' }) },
  'session-expired': { call: withEnded({ expiresAt: '2020-01-01T00:00:00.000Z' }) },
  'session-locked': {
    store: locked.store,
    call: async (served) => {
      const handle = await leftSession(served);
      locked.lockAll();
      return await call(served.client, 'exec', { handle, code: '1' });
    },
  },
  'run-not-found': { call: ({ client }) => call(client, 'result', { run_id: 'x' }) },
  'model-not-found': { reply: status(404, { message: 'The model `root` does not exist', code: 'model_not_found' }) },
  'price-unknown': { rlm: { limits: { maxCostUsd: 1 } } },
  'context-not-found': { call: (served) => ask(served, { paths: ['missing.txt'] }) },
  'context-invalid': { call: (served) => ask(served, { paths: ['out'] }) },
  overloaded: {
    reply: HANGING,
    limits: { maxRuns: 1 },
    call: async (served) => {
      await call(served.client, 'start', { question: 'first', text: 'abc' });
      return await ask(served);
    },
  },
  cancelled: {
    reply: HANGING,
    call: async (served) => {
      const { run_id } = (await call(served.client, 'start', { question: 'How long?', text: 'abc' })).data;
      const asked = ask(served);
      await expect.poll(() => served.mock.inFlight, { timeout: 10_000 }).toBe(1);
      await call(served.client, 'result', { run_id, stop: 'cancel' });
      return await asked;
    },
  },
  'store-failure': { store: fullStore() },
};

describe('errors of the MCP door', { timeout: 30_000 }, () => {
  it('are all reached', () => {
    const possible = Object.entries(ERROR_TABLE).filter(([, { never }]) => never?.mcp === undefined);
    expect(Object.keys(CASES).sort()).toEqual(possible.map(([code]) => code).sort());
  });

  it.each(Object.entries(CASES) as [RlmErrorCode, Case][])('%s', async (code, given) => {
    const { reply, rlm, store = memoryStore(), limits, call: failing = ask } = given;
    const mock = await startMockProvider({ respond: () => reply ?? '```repl\nFINAL(str(len(context)))\n```' });
    onTestFinished(() => mock.close());
    const pair = await connectPair({
      rlm: { model: `${mock.url}/v1#root`, requireInspection: false, ...rlm },
      ...{ store, roots: [folder] },
      ...(limits !== undefined && { limits }),
    });
    onTestFinished(() => pair[Symbol.asyncDispose]());
    const { isError, error, text } = await failing({ ...pair, mock, store });
    expect({ isError, error }, text).toMatchObject({
      isError: true,
      error: { code: errorRow(code).rpc, data: { code, retryable: code === 'overloaded' } },
    });
    // A model reads the same.
    expect(text).toContain(`${error.message}\n`);
    expect(text).toContain(`"code":"${code}"`);
  });
});
