/** Operations under way when a session's time is over or its `Rlm` is closed. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/index.ts';
import { fakeClock, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from '../engine/harness.ts';

describe('a session that is extended while something runs past its time', () => {
  it('lives on: what was granted holds', async () => {
    const clock = fakeClock();
    const gate = Promise.withResolvers<string>();
    const asked = Promise.withResolvers<void>();
    const subModel = scriptedModel(() => {
      asked.resolve();
      return gate.promise;
    });
    const rlm = rlmOf({ model: scriptedModel([]), subModel, clock });
    const session = await rlm.createSession({ lifetimeMs: 1_000, extensionMs: 60_000 });
    const running = session.execute('llm_query("x")');
    await asked.promise;
    await clock.advance(2_000);
    await session.extend();
    gate.resolve('late');
    expect(await running).toMatchObject({ ok: true });
    expect(session.status().state).toBe('ready');
    expect(await session.execute('1')).toMatchObject({ ok: true });
  });
});

describe('what waits for its turn in a session', () => {
  it('runs nothing for a caller who has cancelled before', async () => {
    const session = await rlmOf({ model: scriptedModel([]) }).createSession();
    const signal = AbortSignal.abort(new Error('not needed'));
    await expect(session.execute('ran = 1', { signal })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(session.bash('touch ran', { signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect((await session.execute('import os\n["ran" in globals(), os.path.exists("ran")]')).value).toBe(
      '[False, False]',
    );
  });
});

describe('closing an Rlm', () => {
  const waiting: ScriptedResponder = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

  it('cancels the completions of its sessions, those that wait as well', async () => {
    const rlm = rlmOf({ model: scriptedModel(waiting) });
    const session = await rlm.createSession();
    const runs = [session.completion({ query: 'runs' }), session.completion({ query: 'waits' })];
    const ends = Promise.allSettled(runs);
    await rlm.close();
    expect(await ends).toMatchObject([{ reason: { code: 'cancelled' } }, { reason: { code: 'cancelled' } }]);
  });

  it('interrupts the cells of its sessions, and does not begin what waits', async () => {
    const asked = Promise.withResolvers<void>();
    const subModel = scriptedModel(() => {
      asked.resolve();
      return 'x';
    });
    const rlm = rlmOf({ model: scriptedModel([]), subModel });
    const session = await rlm.createSession();
    const cells = Promise.allSettled([session.execute('llm_query("x")\nwhile True: pass'), session.execute('1')]);
    await asked.promise;
    await rlm.close();
    expect(await cells).toMatchObject([{ value: { ok: false } }, { reason: { code: 'session-closed' } }]);
  });

  it('lets go of sessions: they live on in the store, and this one is of no use any more', async () => {
    const store = memoryStore();
    const rlm = rlmOf({ model: scriptedModel([cell('b = 2', 'FINAL(1)')]), store });
    const session = await rlm.createSession({ context: 'the context' });
    await session.execute('a = 1');
    await session.completion({ query: 'x' });
    await rlm.close();
    await expect(session.execute('1')).rejects.toMatchObject({ code: 'session-closed' });
    await session.close();
    await expect(rlm.createSession()).rejects.toMatchObject({ code: 'session-closed' });
    await expect(rlm.openSession(session.id)).rejects.toMatchObject({ code: 'session-closed' });
    const next = rlmOf({ model: scriptedModel([]), store });
    const [again, same] = await Promise.all([next.openSession(session.id), next.openSession(session.id)]);
    expect(same).toBe(again);
    const value = '[a, b, context_0, [item["id"] for item in history], history["t1.0"]]';
    expect((await again.execute(value)).value).toBe("[1, 2, 'the context', ['e1', 'q1', 't1', 'f1'], '']");
    await again.close();
    expect(await store.journal.read(session.id)).toEqual([]);
  });
});
