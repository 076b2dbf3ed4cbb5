import { describe, expect, test } from 'vitest';
import { RlmError } from '../../src/errors.ts';
import type { Bench } from './bench.ts';

/** Deadlines, cancels, crashes, snapshots. */
export function describeLife(bench: () => Bench): void {
  describe('deadlines and cancels', () => {
    test('an endless loop ends at its deadline and the REPL stays usable', async () => {
      await bench().run('before_loop = 1');
      const outcome = await bench().repl.execute({
        code: 'print("started")\nwhile True: pass',
        handle: 't1.0',
        timeoutMs: 300,
      });
      expect(outcome).toMatchObject({ ok: false, timedOut: true, error: { type: 'TimeoutError' } });
      expect(outcome.stdout.text).toBe('started\n');
      expect(outcome.error?.message).toContain('300 ms');
      if (bench().capabilities.softInterrupt) {
        expect(outcome.restarted).toBeUndefined();
        expect(await bench().value('before_loop')).toBe('1');
      }
      expect(await bench().value('1 + 1')).toBe('2');
    });

    test('a loop inside C code, or one that swallows interrupts, is killed; the outcome says what was lost', async () => {
      await bench().run('before_kill = 1');
      for (const code of [
        'sum(range(10**13))',
        'while True:\n    try:\n        for i in iter(int, 1): pass\n    except BaseException: pass',
      ]) {
        const outcome = await bench().repl.execute({ code, handle: 't1.0', timeoutMs: 300 });
        expect(outcome).toMatchObject({ ok: false, timedOut: true, error: { type: 'TimeoutError' } });
        expect(outcome.restarted?.reason).toBeTruthy();
        expect(outcome.restarted?.lost).toBeTruthy();
        expect(outcome.durationMs).toBeLessThan(10_000);
      }
      if (bench().capabilities.snapshots) expect(await bench().value('before_kill')).toBe('1');
      expect(await bench().value('llm_query("alive")')).toBe("'echo: alive'");
    });

    test('a guest that a cell has harmed for good, and its snapshots, is replaced by an empty one', async () => {
      const repl = await bench().open();
      const run = (code: string) => repl.execute({ code, handle: 't1.0' });
      await run('kept = 1');
      expect((await run('history._channel.begin = None')).ok).toBe(true);
      expect((await run('kept')).restarted?.lost).toMatch(/^all /);
      expect((await run('llm_query("alive"), "kept" in globals()')).value).toBe("('echo: alive', False)");
    });

    test('time spent waiting for the host does not count', async () => {
      bench().host.onCall = async () => {
        await new Promise((resolve) => setTimeout(resolve, 700));
        return 'slow';
      };
      const outcome = await bench().repl.execute({ code: 'llm_query("x")', handle: 't1.0', timeoutMs: 400 });
      expect(outcome).toMatchObject({ ok: true, timedOut: false, value: "'slow'" });
    });

    test('a cell can catch the interrupt and say what it has', async () => {
      if (!bench().capabilities.softInterrupt) return;
      // Not `while True`: CPython 3.11 and 3.12 miss an interrupt at its jump, outside of the table of handlers.
      const code = 'try:\n    for i in iter(int, 1): pass\nexcept KeyboardInterrupt:\n    print("partial")';
      const outcome = await bench().repl.execute({ code, handle: 't1.0', timeoutMs: 300 });
      expect(outcome).toMatchObject({ ok: true, timedOut: true });
      expect(outcome.stdout.text).toBe('partial\n');
    });

    test('a cancelled cell ends, and its open calls are aborted', async () => {
      const abort = new AbortController();
      let aborted = false;
      bench().host.onCall = (_call, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve('late');
          });
          setTimeout(() => abort.abort(), 20);
        });
      const started = performance.now();
      const outcome = await bench().repl.execute({ code: 'llm_query("never")', handle: 't1.0', signal: abort.signal });
      expect(outcome.ok).toBe(false);
      expect(aborted).toBe(true);
      expect(performance.now() - started).toBeLessThan(5_000);
      bench().host.reset();
      expect(await bench().value('llm_query("next")')).toBe("'echo: next'");
    });

    test('a first cell that is cancelled before it has begun does not end the REPL', async () => {
      if (!bench().capabilities.softInterrupt) return;
      const repl = await bench().open();
      const outcome = await repl.execute({ code: '1', handle: 't1.0', signal: AbortSignal.abort() });
      expect(outcome.restarted).toBeUndefined();
      expect(await repl.execute({ code: '1 + 1', handle: 't1.1' })).toMatchObject({ ok: true, value: '2' });
    });

    test('commands are answered in the order they came', async () => {
      const { repl } = bench();
      const all = await Promise.all([
        repl.execute({ code: 'steps = ["a"]', handle: 't1.0' }),
        repl.execute({ code: 'steps.append("b")', handle: 't1.1' }),
        repl.getVariable('steps'),
      ]);
      expect(all[2]).toEqual(['a', 'b']);
    });
  });

  describe('crashes', () => {
    test('os._exit, abort and a killed process fail the cell and leave a usable REPL', async () => {
      await bench().repl.bind({ values: { context: { kind: 'text', text: 'bound text' } } });
      await bench().run('before_crash = 5');
      for (const code of ['import os; print("x", flush=True); os._exit(3)', 'import os; os.abort()']) {
        const outcome = await bench().run(code);
        expect(outcome).toMatchObject({ ok: false, timedOut: false });
        expect(outcome.error?.type).toBe('ReplCrashed');
        expect(outcome.restarted?.lost).toBeTruthy();
        expect(await bench().value('context')).toBe("'bound text'");
      }
      if (bench().capabilities.snapshots) expect(await bench().value('before_crash')).toBe('5');
    });

    test('a closed REPL rejects what comes later', async () => {
      const repl = await bench().open();
      await repl.close();
      await repl.close();
      await expect(repl.execute({ code: '1', handle: 'x' })).rejects.toSatisfy(RlmError.isInstance);
    });
  });

  describe('snapshots', () => {
    test('take variables and files back', async (context) => {
      if (!bench().capabilities.snapshots) return context.skip();
      const repl = await bench().open();
      const run = (code: string) => repl.execute({ code, handle: 't1.0' });
      await run('x = [1]; f = open("/tmp/data.txt", "w"); f.write("old"); f.close()');
      const info = await repl.snapshot('one');
      expect(info).toMatchObject({ name: 'one', bytes: expect.any(Number) });
      await run('x.append(2); y = 1; f = open("/tmp/data.txt", "w"); f.write("new"); f.close()');
      await repl.snapshot('two');
      await repl.rollback('one');
      expect((await run('x, "y" in globals(), open("/tmp/data.txt").read()')).value).toBe("([1], False, 'old')");
      await repl.rollback('two');
      expect((await run('x, y, open("/tmp/data.txt").read()')).value).toBe("([1, 2], 1, 'new')");
      expect((await repl.snapshots()).map((it) => it.name)).toEqual(['one', 'two']);
    });

    test('can be restored again and again, also after a hang', async (context) => {
      if (!bench().capabilities.snapshots) return context.skip();
      const repl = await bench().open();
      await repl.execute({ code: 'n = 0', handle: 't1.0' });
      await repl.snapshot('base');
      for (let round = 0; round < 3; round += 1) {
        await repl.execute({ code: 'n += 1', handle: 't1.0' });
        if (round === 1) await repl.execute({ code: 'sum(range(10**13))', handle: 't1.0', timeoutMs: 200 });
        await repl.rollback('base');
        expect(await repl.getVariable('n')).toBe(0);
      }
      expect((await repl.execute({ code: 'llm_query("after")', handle: 't1.0' })).value).toBe("'echo: after'");
    });

    test('names are checked: twice, unknown, too many, deleted', async (context) => {
      if (!bench().capabilities.snapshots) return context.skip();
      const repl = await bench().open({ maxSnapshots: 2 });
      await repl.snapshot('a');
      await expect(repl.snapshot('a')).rejects.toMatchObject({ code: 'snapshot-exists' });
      await expect(repl.rollback('nope')).rejects.toMatchObject({ code: 'snapshot-not-found' });
      await repl.snapshot('b');
      await expect(repl.snapshot('c')).rejects.toMatchObject({ code: 'snapshot-limit' });
      await repl.deleteSnapshot('a');
      await repl.snapshot('c');
      await expect(repl.rollback('a')).rejects.toMatchObject({ code: 'snapshot-not-found' });
    });

    test('do not undo what the host bound later', async (context) => {
      if (!bench().capabilities.snapshots) return context.skip();
      const repl = await bench().open();
      await repl.bind({ values: { context: { kind: 'text', text: 'first' } } });
      await repl.snapshot('s');
      await repl.bind({ values: { context: { kind: 'text', text: 'second' } } });
      await repl.rollback('s');
      expect(await repl.getVariable('context')).toBe('second');
    });

    test('clones do not draw the same random numbers after a rollback', async (context) => {
      if (!bench().capabilities.snapshots) return context.skip();
      const repl = await bench().open();
      await repl.execute({ code: 'import random', handle: 't1.0' });
      await repl.snapshot('r');
      const draw = async () => (await repl.execute({ code: 'random.random()', handle: 't1.0' })).value;
      const first = await draw();
      await repl.rollback('r');
      expect(await draw()).not.toBe(first);
    });
  });

  describe('bash', () => {
    test('runs on the same files and reports exit code and output', async (context) => {
      if (!bench().capabilities.bash) return context.skip();
      await bench().run('import os\nos.chdir("/tmp")\nopen("/tmp/shared.txt", "w").write("a\\nb\\n")');
      const outcome = await bench().repl.bash({
        command: 'wc -l < /tmp/shared.txt; echo err >&2; echo made > /tmp/made.txt; exit 3',
        handle: 't1.1',
      });
      expect(outcome).toMatchObject({ ok: false, exitCode: 3, timedOut: false });
      expect(outcome.stdout.text.trim()).toBe('2');
      expect(outcome.stderr.text.trim()).toBe('err');
      expect(await bench().value('open("/tmp/made.txt").read()')).toBe("'made\\n'");
    });

    test('ends at its deadline, and says so', async (context) => {
      if (!bench().capabilities.bash) return context.skip();
      for (const command of ['sleep 20', 'while true; do :; done']) {
        const outcome = await bench().repl.bash({ command, handle: 't1.1', timeoutMs: 300 });
        expect(outcome).toMatchObject({ ok: false, timedOut: true });
      }
    });

    test('takes a lone surrogate as a replacement character', async (context) => {
      if (!bench().capabilities.bash) return context.skip();
      const outcome = await bench().repl.bash({ command: 'echo "\ud800"', handle: 't1.1' });
      expect(outcome.stdout.text).toBe('\ufffd\n');
    });
  });
}
