/** A REPL of a session that is killed: who says what is lost. */
import { afterAll, describe, expect, it } from 'vitest';
import { createRlm, type RunEvent, type Session, type SessionOptions } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from './on-each-backend.ts';

type Restarted = Extract<RunEvent, { type: 'repl.restarted' }>;

await onEachBackend(({ name, repl }) => {
  afterAll(() => repl.close());

  async function opened(options: SessionOptions = {}, root: string[] = []) {
    const restarts: Restarted[] = [];
    const rlm = createRlm({
      model: scriptedModel(root, { modelId: 'root' }),
      repl,
      onEvent: (event) => {
        if (event.type === 'repl.restarted') restarts.push(event);
      },
    });
    const session = await rlm.createSession(options);
    return { rlm, session, restarts };
  }

  const BEFORE = 'variables and files are as they were before this cell';

  async function kept(session: Session): Promise<string | null> {
    return (await session.execute('"kept" in globals()')).value;
  }

  describe('a session whose REPL is killed', () => {
    it('says nothing of a restart while nothing is killed', async () => {
      const { session, restarts, rlm } = await opened();
      const result = await session.execute('1/0');
      expect(result.ok).toBe(false);
      expect(result).not.toHaveProperty('restarted');
      expect(result.shown).not.toContain('restarted');
      expect(restarts).toEqual([]);
      await rlm.close();
    });

    it.each([
      ['a cell that exits', 'import os; os._exit(3)', {}],
      ['a cell that aborts', 'import os; os.abort()', {}],
      ['a cell that takes no interrupt', 'sum(range(10**13))', { timeoutMs: 300 }],
    ])('reports the loss by %s in the result, in `shown` and as a durable event', async (_what, code, options) => {
      const { session, restarts, rlm } = await opened();
      await session.execute('kept = 1');
      const result = await session.execute(code, options);
      expect(result).toMatchObject({ ok: false, restarted: { lost: BEFORE, reason: expect.any(String) } });
      expect(result.shown).toContain(`Now ${BEFORE}.`);
      expect(result.stderr).toBe('');
      expect(restarts).toMatchObject([{ runId: session.id, lost: BEFORE, seq: expect.any(Number) }]);
      expect(await kept(session)).toBe('True');
      await rlm.close();
    });

    it('reports the loss by bash', async () => {
      const { session, restarts, rlm } = await opened();
      await session.execute('kept = 1');
      const command = name === 'python' ? 'kill -9 $PPID; sleep 5' : 'while true; do :; done';
      const result = await session.bash(command, { timeoutMs: 500 });
      if (result.restarted === undefined) {
        // A shell that is stopped without a kill: nothing is lost, and nothing may be reported.
        expect(restarts).toEqual([]);
      } else {
        expect(result.shown).toContain(`Now ${result.restarted.lost}.`);
        expect(restarts).toHaveLength(1);
      }
      expect(await kept(session)).toBe('True');
      await rlm.close();
    });

    it('reports that the REPL is empty, once, and continues', async () => {
      const { session, restarts, rlm } = await opened({ context: 'bound' });
      await session.execute('kept = 1');
      // Ends every snapshot there is; or breaks the guest's own channel in every snapshot from here on.
      const endSnapshots =
        'import os\nfor p in os.listdir("/proc"):\n    if p.isdigit() and int(p) not in (1, os.getpid()): os.kill(int(p), 9)\nos._exit(0)';
      if (name === 'pyodide') await session.execute('history._channel.begin = None');
      const result = await session.execute(name === 'pyodide' ? 'kept' : endSnapshots);
      expect(result.restarted?.lost).toMatch(/^all variables/);
      expect(result.shown).toContain('all variables');
      expect(restarts).toHaveLength(1);
      expect((await session.execute('["kept" in globals(), context]')).value).toBe("[False, 'bound']");
      expect(restarts).toHaveLength(1);
      await rlm.close();
    });

    it('reports a loss by a completion in its own feedback', async () => {
      const root = [cell('import os; os._exit(3)'), 'FINAL(1)'];
      const { session, restarts, rlm } = await opened({}, root);
      await session.execute('kept = 1');
      const { trajectory } = await session.completion({ query: 'x' });
      expect(trajectory.turns[0]?.commands[0]).toMatchObject({ ok: false });
      expect(restarts).toHaveLength(1);
      expect(await kept(session)).toBe('True');
      await rlm.close();
    });
  });

  if (name === 'python') {
    /** Ends the process a moment after its cell has ended. */
    const DIES_LATER =
      'import os, threading, time\ndef end():\n    time.sleep(0.2)\n    os._exit(3)\nthreading.Thread(target=end).start()';

    describe('a REPL that dies between two commands', () => {
      async function died(session: Session): Promise<void> {
        await session.execute('kept = 1');
        await session.execute(`later = 2\n${DIES_LATER}`);
        // The process is gone when its file is not written any more.
        await new Promise((resolve) => setTimeout(resolve, 700));
      }
      // The snapshot after the last cell is missing: a thread ran, or there was no time to take it.
      const LAST = /variables and files are as they were (before the last cell|at an earlier moment)/;
      const lost = { lost: expect.stringMatching(LAST) };

      it('has lost nothing where the snapshot after the last cell was there: the next cell runs', async () => {
        const { session, restarts, rlm } = await opened();
        const kill =
          'import os, time\nif os.fork() == 0:\n    time.sleep(1)\n    os.kill(os.getppid(), 9)\n    os._exit(0)';
        await session.execute(`later = 2\n${kill}`);
        await session.snapshot('after');
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        expect(await session.execute('later')).toMatchObject({ ok: true, value: '2' });
        expect(restarts).toEqual([]);
        await rlm.close();
      });

      it('is reported by the next cell, which is not run on what is left', async () => {
        const { session, restarts, rlm } = await opened();
        await died(session);
        const result = await session.execute('ran = 1');
        expect(result).toMatchObject({ ok: false, restarted: lost });
        expect(restarts).toMatchObject([lost]);
        const names = (await session.variables()).map((variable) => variable.name);
        expect(names).toContain('kept');
        expect(names).not.toContain('ran');
        expect(names).not.toContain('later');
        expect(await session.execute('ran = 1')).toMatchObject({ ok: true });
        await rlm.close();
      });

      it('is reported by the next bash command', async () => {
        const { session, restarts, rlm } = await opened();
        await died(session);
        expect(await session.bash('true')).toMatchObject({ ok: false, restarted: lost });
        expect(restarts).toHaveLength(1);
        await rlm.close();
      });

      it('is reported by the error of whatever else is asked next', async () => {
        const { session, restarts, rlm } = await opened();
        await died(session);
        await expect(session.getVariable('later')).rejects.toMatchObject({
          code: 'repl-failure',
          message: expect.stringMatching(LAST),
        });
        expect(restarts).toMatchObject([lost]);
        expect(await session.getVariable('kept')).toBe(1);
        await rlm.close();
      });

      it('is not swallowed by what only lists variables', async () => {
        const { session, restarts, rlm } = await opened();
        await died(session);
        expect((await session.variables()).map((variable) => variable.name)).not.toContain('later');
        expect(await session.execute('1')).toMatchObject({ ok: false, restarted: lost });
        expect(restarts).toHaveLength(1);
        await rlm.close();
      });

      it('is reported by the first cell of a completion, whose context is bound all the same', async () => {
        const root = [cell('seen = context'), cell('FINAL([seen, context])')];
        const { session, restarts, rlm } = await opened({}, [cell('seen = context'), ...root]);
        await died(session);
        const { trajectory } = await session.completion({ query: 'x', context: 'new' });
        expect(trajectory.turns[0]?.commands[0]).toMatchObject({ ok: false });
        expect(restarts).toHaveLength(1);
        await rlm.close();
      });
    });
  }
});
