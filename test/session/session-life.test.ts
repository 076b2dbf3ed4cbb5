import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore, sqliteStore } from '../../src/index.ts';
import { fakeClock, scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from '../engine/harness.ts';
import { opened } from './opened.ts';

describe('snapshots of a session', () => {
  it('restore variables and files, keep later ones, and free their place', async () => {
    const session = await opened([], { limits: { maxSnapshots: 2 } });
    await session.execute('v = 1\nopen("f", "w").write("1")');
    expect(await session.snapshot('one')).toMatchObject({ name: 'one' });
    await session.execute('v = 2\nopen("f", "w").write("2")');
    await session.snapshot('two');
    await expect(session.snapshot('two')).rejects.toMatchObject({ code: 'snapshot-exists' });
    await expect(session.snapshot('three')).rejects.toMatchObject({ code: 'snapshot-limit' });
    await session.rollback('one');
    expect((await session.execute('[v, open("f").read()]')).value).toBe("[1, '1']");
    await session.rollback('two');
    expect((await session.execute('[v, open("f").read()]')).value).toBe("[2, '2']");
    await session.deleteSnapshot('one');
    await expect(session.rollback('one')).rejects.toMatchObject({ code: 'snapshot-not-found' });
    await session.snapshot('three');
    expect((await session.snapshots()).map(({ name }) => name)).toEqual(['two', 'three']);
  });

  it('ten made and deleted leave place for ten more', async () => {
    const session = await opened();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 10; n++) await session.snapshot(`s${n}`);
      for (let n = 0; n < 10; n++) await session.deleteSnapshot(`s${n}`);
    }
    expect(session.status().snapshots).toEqual([]);
  });

  it.each(['', '.a', '-a', 'a b', 'a/b', '../a', 'ü', 'a\n', 'x'.repeat(65), undefined])(
    'are not named %j',
    async (name) => {
      const session = await opened();
      await expect(session.snapshot(name as never)).rejects.toMatchObject({ code: 'invalid-name' });
    },
  );

  it('have names of up to 64 letters, digits, dots, dashes and underscores', async () => {
    const session = await opened();
    for (const name of ['a', '1.b-c_D', 'x'.repeat(64)]) expect(await session.snapshot(name)).toMatchObject({ name });
  });
});

describe('the time of a session', () => {
  it('ends it; extensions are capped', async () => {
    const clock = fakeClock();
    const session = await opened([], { lifetimeMs: 1_000, extensionMs: 1_000, maxExtensions: 1 }, { clock });
    expect((await session.extend()).extensions).toBe(1);
    await expect(session.extend()).rejects.toMatchObject({ code: 'extension-limit' });
    await clock.advance(1_500);
    expect(session.status().state).toBe('ready');
    await clock.advance(600);
    await expect(session.execute('1')).rejects.toMatchObject({ code: 'session-expired' });
    expect(session.status().state).toBe('expired');
  });

  it('lets what runs finish', async () => {
    const clock = fakeClock();
    const session = await opened([], { lifetimeMs: 1_000 }, { clock });
    const running = session.execute('sum(range(10**6))');
    await clock.advance(2_000);
    expect(await running).toMatchObject({ ok: true });
    await expect(session.execute('1')).rejects.toMatchObject({ code: 'session-expired' });
  });
});

describe('a closed session', () => {
  it('says so, and cannot be opened again', async () => {
    const store = memoryStore();
    const rlm = rlmOf({ model: scriptedModel([]), store });
    const session = await rlm.createSession();
    await session.close();
    await session.close();
    await expect(session.execute('1')).rejects.toMatchObject({ code: 'session-closed' });
    await expect(rlm.openSession(session.id)).rejects.toMatchObject({ code: 'session-closed' });
  });

  it('an unknown session is not found', async () => {
    const rlm = rlmOf({ model: scriptedModel([]) });
    await expect(rlm.openSession('not-an-id')).rejects.toMatchObject({ code: 'session-not-found' });
    await expect(rlm.openSession('01ARZ3NDEKTSV4RRFFQ69G5FAV')).rejects.toMatchObject({ code: 'session-not-found' });
  });
});

describe('a session in a store', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fathom-session-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it('is the same object while it lives', async () => {
    const rlm = rlmOf({ model: scriptedModel([]) });
    const session = await rlm.createSession();
    expect(await rlm.openSession(session.id)).toBe(session);
  });

  it('outlives the Rlm: cells, completions, variables, snapshots and files come back, paid calls are not repeated', async () => {
    const subPrompts: string[] = [];
    const make = async (): Promise<{
      rlm: ReturnType<typeof rlmOf>;
      store: Awaited<ReturnType<typeof sqliteStore>>;
    }> => {
      const store = await sqliteStore(folder);
      const subModel = scriptedModel(({ prompt }) => `${prompt}-${subPrompts.push(prompt)}`, { modelId: 'sub' });
      const rlm = rlmOf({
        model: scriptedModel([cell('b = llm_query("completion")', 'FINAL(b)')], { modelId: 'root' }),
        subModel,
        store,
      });
      return { rlm, store };
    };
    const first = await make();
    const session = await first.rlm.createSession({ context: 'the context' });
    await session.execute('a = llm_query("execute")');
    await session.completion({ query: 'ask' });
    await session.snapshot('before');
    await session.setVariable('c', 3);
    await session.execute('open("f", "w").write("file")');
    await first.rlm.close();
    await first.store.close();

    const second = await make();
    const again = await second.rlm.openSession(session.id);
    expect((await again.execute('[a, b, c, open("f").read(), context_0]')).value).toBe(
      "['execute-1', 'completion-2', 3, 'file', 'the context']",
    );
    await again.rollback('before');
    expect((await again.execute('"c" in globals()')).value).toBe('False');
    expect(subPrompts).toEqual(['execute', 'completion']);
    await again.close();
    await second.rlm.close();
    await second.store.close();
  });
});
