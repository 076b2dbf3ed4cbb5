/** A session that is brought back in another process: what it does again, what it leaves, what it counts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rlm, type RlmOptions, type SessionOptions, type Store, sqliteStore } from '../../src/index.ts';
import { closeStored, extendStored, sessionRecord, storedSession } from '../../src/session/stored-session.ts';
import { fakeClock, type ScriptedModel, scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from '../engine/harness.ts';

let folder = '';
let stores = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-replay-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Opened {
  readonly rlm: Rlm;
  readonly store: Store;
  close(): Promise<void>;
}

/** An `Rlm` as a process of its own would have it. */
function open(path: string, options: Partial<RlmOptions> = {}): Opened {
  const store = sqliteStore(join(folder, path));
  const rlm = rlmOf({ model: scriptedModel([], { modelId: 'root' }), repl: 'auto', store, ...options });
  return {
    rlm,
    store,
    async close() {
      await rlm.close();
      await store.close();
    },
  };
}

const newPath = (): string => `s${++stores}`;
const numbering = (modelId: string): ScriptedModel => {
  let calls = 0;
  return scriptedModel(({ prompt }) => `${modelId} ${prompt} ${++calls}`, { modelId });
};

async function created(path: string, options: Partial<RlmOptions>, session: SessionOptions = {}): Promise<string> {
  const first = open(path, options);
  const { id } = await first.rlm.createSession(session);
  await first.close();
  return id;
}

describe('a session brought back under other models', () => {
  it('does not ask again what was answered: cells and completions keep the models they had', async () => {
    const path = newPath();
    const first = open(path, {
      model: scriptedModel([cell('b = llm_query("q")', 'FINAL(b)')]),
      subModel: numbering('one'),
    });
    const session = await first.rlm.createSession();
    await session.execute('a = llm_query("p")');
    await session.completion({ query: 'ask' });
    await first.close();

    const two = numbering('two');
    const second = open(path, { model: two });
    const again = await second.rlm.openSession(session.id);
    expect((await again.execute('[a, b]')).value).toBe("['one p 1', 'one q 2']");
    expect(two.requests).toHaveLength(0);
    await again.execute('c = llm_query("r")');
    await second.close();

    const third = open(path);
    const last = await third.rlm.openSession(session.id);
    expect((await last.execute('c')).value).toBe("'two r 1'");
    await third.close();
  });
});

describe('what a session used', () => {
  it('is counted across processes, against its limits as well', async () => {
    const path = newPath();
    const models = (): Partial<RlmOptions> => ({
      model: scriptedModel([cell('FINAL(llm_query("q"))')], { modelId: 'root' }),
      subModel: numbering('sub'),
    });
    const first = open(path, models());
    const session = await first.rlm.createSession({ limits: { maxSubCalls: 2 } });
    await session.execute('llm_query("p")');
    await session.completion({ query: 'ask' });
    const before = session.status().usage;
    await first.close();

    const second = open(path, models());
    const again = await second.rlm.openSession(session.id);
    expect(again.status().usage).toEqual(before);
    expect(await again.execute('llm_query("second")')).toMatchObject({ ok: true });
    expect(await again.execute('llm_query("third")')).toMatchObject({ ok: false, error: { type: 'BudgetExceeded' } });
    await second.close();
  });
});

describe('cells that were cut', () => {
  it('are done again as far as they came; their times stay', async () => {
    const path = newPath();
    const first = open(path);
    const session = await first.rlm.createSession();
    await session.execute('n = 1');
    const code = 'import time\nn = 2\nwhile True: time.sleep(0.01)';
    expect(await session.execute(code, { timeoutMs: 300 })).toMatchObject({ timedOut: true });
    const before = session.status().commands;
    await first.close();

    const second = open(path);
    const startedAt = Date.now();
    const again = await second.rlm.openSession(session.id);
    expect((await again.execute('n')).value).toBe('2');
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    expect(again.status().commands.slice(0, 2)).toEqual(before);
    await second.close();
  });

  it('ask for nothing again that they were not answered', async () => {
    const path = newPath();
    const sub = scriptedModel(() => 'late', { modelId: 'sub', latencyMs: 60_000 });
    const stop = new AbortController();
    const first = open(path, {
      subModel: sub,
      onEvent: ({ type }) => {
        if (type === 'subcall.started') stop.abort();
      },
    });
    const session = await first.rlm.createSession();
    expect(await session.execute('n = 1\nllm_query("x")\nn = 2', { signal: stop.signal })).toMatchObject({ ok: false });
    const { usage } = session.status();
    await first.close();
    for (let times = 0; times < 2; times++) {
      const asked = scriptedModel(() => 'late', { modelId: 'sub' });
      const next = open(path, { subModel: asked });
      const again = await next.rlm.openSession(session.id);
      expect(await again.getVariable('n')).toBe(1);
      expect(again.status().usage).toEqual(usage);
      expect(asked.requests).toHaveLength(0);
      await next.close();
    }
  });

  it('by the cancel of a completion are not done again', async () => {
    const path = newPath();
    const first = open(path, { model: scriptedModel([cell('kept = 1'), cell('while True: pass')]) });
    const session = await first.rlm.createSession();
    const run = session.completion({ query: 'ask' });
    for await (const event of run) {
      if (event.type === 'cell.started' && event.id.startsWith('t2')) run.cancel('enough');
    }
    await first.close();

    const second = open(path);
    const again = await second.rlm.openSession(session.id);
    expect((await again.execute('kept')).value).toBe('1');
    await second.close();
  });
});

describe('a stored session that is not open', () => {
  it('reports its state, is extended and closed without its REPL', async () => {
    const path = newPath();
    const first = open(path);
    const session = await first.rlm.createSession({ maxExtensions: 1 });
    await session.execute('x = [1, 2]');
    await session.snapshot('one');
    await first.close();

    const { store, close } = open(path);
    const clock = fakeClock(Date.now());
    const stored = storedSession(await sessionRecord(session.id, store), clock.now());
    expect(stored).toMatchObject({ state: 'ready', extensions: 0, models: { rootModel: 'scripted/root' } });
    expect(stored.last).toMatchObject({
      variables: expect.arrayContaining([expect.objectContaining({ name: 'x', size: 2 })]),
      snapshots: [{ name: 'one' }],
      commands: [{ id: 'e1', ok: true }],
    });
    const longer = await extendStored(session.id, { store, clock });
    expect(Date.parse(longer.expiresAt) - Date.parse(stored.expiresAt)).toBe(1_800_000);
    await expect(extendStored(session.id, { store, clock })).rejects.toMatchObject({ code: 'extension-limit' });
    expect(await closeStored(session.id, { store, clock })).toMatchObject({ state: 'terminated' });
    await expect(extendStored(session.id, { store, clock })).rejects.toMatchObject({ code: 'session-closed' });
    const events = await store.events.read(session.id);
    expect(events.at(-1)).toMatchObject({ type: 'session.closed', seq: events.length });
    await close();
  });

  it('is reaped once its time is over, and its log says so', async () => {
    const path = newPath();
    const id = await created(path, {}, { lifetimeMs: 1 });
    const second = open(path);
    await expect(second.rlm.openSession(id)).rejects.toMatchObject({ code: 'session-expired' });
    expect((await second.store.sessions.get(id))?.state).toBe('expired');
    expect((await second.store.events.read(id)).at(-1)?.type).toBe('session.expired');
    await second.close();
  });
});
