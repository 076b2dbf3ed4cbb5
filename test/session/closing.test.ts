/** `session.close()`: what it stops, and how soon it ends. */
import { afterAll, describe, expect, it } from 'vitest';
import { createRlm, memoryStore, type RlmOptions, type RunEvent, type Session } from '../../src/index.ts';
import { type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from './on-each-backend.ts';

/** Milliseconds. `close()` takes half a second at most on a free machine; the loops it stops here would take minutes. */
const SOON = 3_000;

/** Ignores its signal. */
const deaf: ScriptedResponder = () => new Promise(() => undefined);

/** How a promise ended: the code of its error, or `ok`. */
async function endOf(work: PromiseLike<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

await onEachBackend(({ repl }) => {
  afterAll(() => repl.close());

  async function opened(options: Partial<RlmOptions> = {}) {
    const seen = new Map<string, () => void>();
    const store = memoryStore();
    const rlm = createRlm({
      ...{ model: scriptedModel([], { modelId: 'root' }), repl, store },
      ...options,
      onEvent: ({ type }: RunEvent) => seen.get(type)?.(),
    });
    const session = await rlm.createSession({ limits: { toolTimeoutMs: 600_000 } });
    /** Resolves at the next event of that type. */
    const next = (type: string) => new Promise<void>((resolve) => seen.set(type, resolve));
    return { rlm, session, store, next };
  }

  async function closeSoon(session: Session): Promise<void> {
    const startedAt = performance.now();
    await session.close();
    expect(performance.now() - startedAt).toBeLessThan(SOON);
    expect(session.status().state).toBe('terminated');
  }

  /** A tool that says when it is called, and never answers. */
  function hanging() {
    const called = Promise.withResolvers<void>();
    const hang = Object.assign(
      () => {
        called.resolve();
        return new Promise(() => undefined);
      },
      { description: 'never answers' },
    );
    return { hang, called: called.promise };
  }

  describe('close()', () => {
    it.each([
      ['an endless loop', 'while True: pass'],
      [
        'a loop that swallows interrupts',
        'while True:\n    try:\n        for i in iter(int, 1): pass\n    except BaseException: pass',
      ],
      ['a loop in C', 'sum(range(10**13))'],
      ['a cell that sleeps', 'import time; time.sleep(600)'],
    ])('stops %s, which a time limit would end', async (_what, code) => {
      const { session, rlm } = await opened();
      expect(await session.execute(code, { timeoutMs: 300 })).toMatchObject({ ok: false, timedOut: true });
      const ticked = Promise.withResolvers<void>();
      const tick = Object.assign(() => ticked.resolve(), { description: 'says that a cell runs' });
      const other = await rlm.createSession({ tools: { tick } });
      const running = endOf(other.execute(`tick()\n${code}`));
      await ticked.promise;
      await closeSoon(other);
      expect(await running).toBe('session-closed');
      await rlm.close();
    });

    it('stops bash', async () => {
      const { session, rlm } = await opened();
      const running = endOf(session.bash('while true; do :; done'));
      await closeSoon(session);
      expect(await running).toBe('session-closed');
      await rlm.close();
    });

    it('stops a cell whose tool never answers', async () => {
      const { hang, called } = hanging();
      const { session, rlm } = await opened({ tools: { hang } });
      const running = endOf(session.execute('hang()'));
      await called;
      await closeSoon(session);
      expect(await running).toBe('session-closed');
      await rlm.close();
    });

    it('stops a completion whose model never answers, and keeps what it has gained', async () => {
      const model = scriptedModel(deaf, { modelId: 'root' });
      const { session, rlm, next } = await opened({ model });
      const turn = next('turn.started');
      const run = session.completion({ query: 'x' });
      await turn;
      await closeSoon(session);
      await expect(Promise.resolve(run)).rejects.toMatchObject({
        code: 'session-closed',
        resumable: false,
        result: { outcome: 'aborted', stop: 'cancelled' },
      });
      await rlm.close();
    });

    it('pays for nothing more: neither the root model nor sub-calls are asked afterwards', async () => {
      const asked = Promise.withResolvers<void>();
      const sub = scriptedModel(
        (request) => {
          asked.resolve();
          return deaf(request);
        },
        { modelId: 'sub' },
      );
      const root = scriptedModel([cell('llm_query("a")'), 'FINAL(1)'], { modelId: 'root' });
      const { session, rlm, store } = await opened({ model: root, subModel: sub });
      const run = endOf(session.completion({ query: 'x' }));
      const waiting = [session.completion({ query: 'y' }), session.execute('llm_query("b")'), session.bash('ls')];
      const ends = Promise.all(waiting.map(endOf));
      await asked.promise;
      await closeSoon(session);
      expect(await run).toBe('session-closed');
      expect(await ends).toEqual(['session-closed', 'session-closed', 'session-closed']);
      expect([root.requests.length, sub.requests.length]).toEqual([1, 1]);
      const { usage } = session.status();
      expect((await store.sessions.get(session.id))?.more).toMatchObject({ last: { usage: { calls: usage.calls } } });
      await rlm.close();
      expect([root.requests.length, sub.requests.length]).toEqual([1, 1]);
    });

    it('lets a cell that has ended keep its result', async () => {
      const { session, rlm } = await opened();
      const done = await session.execute('40 + 2');
      await closeSoon(session);
      expect(done).toMatchObject({ ok: true, value: '42' });
      await rlm.close();
    });

    it('is what `await using` does', async () => {
      const { session, rlm } = await opened();
      let running: Promise<string> | undefined;
      const startedAt = performance.now();
      {
        await using open = session;
        running = endOf(open.execute('while True: pass'));
      }
      expect(performance.now() - startedAt).toBeLessThan(SOON);
      expect(await running).toBe('session-closed');
      await rlm.close();
    });

    it('counts before a close of the Rlm that comes in between', async () => {
      const { session, rlm, store } = await opened();
      const running = endOf(session.execute('while True: pass'));
      await Promise.all([session.close(), rlm.close(), session.close()]);
      expect(await running).toBe('session-closed');
      expect((await store.sessions.get(session.id))?.state).toBe('terminated');
    });
  });
});
