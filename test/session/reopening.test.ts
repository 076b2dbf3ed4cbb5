/** Sessions that are opened again: the values given again, and differences from the record. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { fromFile, type RlmOptions } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from './on-each-backend.ts';
import { freshPath, reopener } from './reopening-harness.ts';

// Each test opens several REPLs, one after the other.
vi.setConfig({ testTimeout: 120_000 });

await onEachBackend(({ repl }) => {
  const { made, reopened } = reopener(repl);

  describe('a session that comes back as it was', () => {
    it('has nothing to report', async () => {
      const there = await made({}, async (session) => {
        await session.execute('a = 1\nprint(a)');
        await session.execute('1/0');
        await session.execute('FINAL(a)');
        await session.bash('exit 3');
        await session.snapshot('one');
        await session.snapshot('one').catch(() => undefined);
        await session.setVariable('b', 2);
      });
      const { session, diverged, close } = await reopened(there);
      expect(session.status()).not.toHaveProperty('diverged');
      expect(diverged()).toEqual([]);
      expect((await session.execute('[a, b]')).value).toBe('[1, 2]');
      await close();
    });
  });

  describe('a replay that differs from its record', () => {
    it('shows in the status and in events, with the missing variables, at each opening', async () => {
      let soon = 0;
      const there = await made({}, async (session) => {
        soon = Date.now() / 1000 + 4;
        await session.execute(`import time\nassert time.time() < ${soon}\nresult = 1`);
        await session.execute('kept = 2');
      });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, soon * 1000 - Date.now()) + 50));
      for (let times = 0; times < 2; times++) {
        const { session, diverged, close } = await reopened(there);
        expect(session.status().diverged).toEqual({
          variables: ['result'],
          commands: [{ id: 'e1', message: expect.stringContaining('it failed, and had not (AssertionError') }],
        });
        expect(diverged()).toMatchObject([{ commandId: 'e1' }, { variables: ['result'] }]);
        expect((await session.execute('kept')).value).toBe('2');
        await close();
      }
    });

    it.each([
      [
        'fails with another error',
        'raise (ValueError if OK else KeyError)("x")',
        'another error than ValueError (KeyError',
      ],
      ['does not fail any more', 'assert not OK', 'it did not fail, and had'],
      ['gives another answer', 'FINAL("then" if OK else "now")', 'another answer'],
      ['ends its process', 'if not OK:\n    import os; os._exit(3)', 'the REPL was killed'],
    ])('by a cell that %s', async (_what, code, message) => {
      const flag = freshPath('flag');
      await writeFile(flag, 'True');
      const there = await made({ session: { context: fromFile(flag) } }, async (session) => {
        await session.execute(`OK = context == "True"`);
        await session.execute(code);
      });
      await writeFile(flag, 'None');
      const given = { context: fromFile(flag) };
      const { session, close } = await reopened(there, given);
      expect(session.status().diverged?.commands).toEqual([{ id: 'e2', message: expect.stringContaining(message) }]);
      await close();
    });

    it('by a bash command with another exit code, and by a snapshot that is not there', async () => {
      const flag = freshPath('flag');
      await writeFile(flag, 'yes');
      const there = await made({ session: { context: fromFile(flag) } }, async (session) => {
        await session.execute('open("f", "w").write(context)');
        await session.bash('grep -q yes f');
        await session.execute('if context == "yes": x = 1');
      });
      await writeFile(flag, 'not');
      const { session, close } = await reopened(there, { context: fromFile(flag) });
      expect(session.status().diverged).toEqual({
        variables: ['x'],
        commands: [{ id: 'e2', message: expect.stringContaining('it failed, and had not') }],
      });
      await close();
    });

    it('by a completion of which a cell printed something else', async () => {
      const flag = freshPath('flag');
      await writeFile(flag, 'yes');
      const root = (): RlmOptions['model'] =>
        scriptedModel([cell('print(context)', 'made = 1'), 'FINAL(1)'], { modelId: 'root' });
      const there = await made(
        { session: { context: fromFile(flag) }, options: { model: root() } },
        async (session) => {
          await session.completion({ query: 'x' });
        },
      );
      await writeFile(flag, 'not');
      const { session, close } = await reopened(there, { context: fromFile(flag) });
      expect(session.status().diverged?.commands).toMatchObject([{ id: 't1.0' }]);
      expect(await session.getVariable('made')).toBe(1);
      await close();
    });
  });
});
