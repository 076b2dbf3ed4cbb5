import { describe, expect, test } from 'vitest';
import type { Bench } from './bench.ts';

/** Notebook semantics. */
export function describeCells(bench: () => Bench): void {
  describe('cells', () => {
    test('show the value of a last expression', async () => {
      expect(await bench().value('1 + 1')).toBe('2');
      expect(await bench().value('\'a\' + "b"')).toBe("'ab'");
      expect(await bench().value('x = 3\n\n(x,\n x)\n# comment')).toBe('(3, 3)');
    });

    test('show nothing for None, statements and expressions followed by a semicolon', async () => {
      expect(await bench().value('None')).toBeNull();
      expect(await bench().value('y = 5')).toBeNull();
      expect(await bench().value('y;')).toBeNull();
      expect(await bench().value('(y) ;  # hidden')).toBeNull();
      expect(await bench().value("'é;'")).toBe("'é;'");
    });

    test('share one namespace', async () => {
      await bench().run('counter = 1\ndef bump():\n    global counter\n    counter += 1\n    return counter');
      expect(await bench().value('bump(), bump()')).toBe('(2, 3)');
      await bench().run('counter = 10');
      expect(await bench().value('bump()')).toBe('11');
    });

    test('keep classes, imports and late binding', async () => {
      await bench().run('import math as m\nclass A:\n    def size(self): return later(self)');
      await bench().run('def later(it): return m.floor(2.5)');
      expect(await bench().value('A().size()')).toBe('2');
    });

    test('let comprehensions and nested functions see earlier names', async () => {
      await bench().run('base = 10');
      expect(await bench().value('[[base + i for i in range(2)] for _ in range(2)]')).toBe('[[10, 11], [10, 11]]');
    });

    test('del removes a name', async () => {
      await bench().run('gone = 1');
      await bench().run('del gone');
      expect((await bench().failure('gone')).type).toBe('NameError');
    });

    test('that raise keep what they did before', async () => {
      const { ok, error } = await bench().run('kept = 42\nraise ValueError("no")\nkept = 0');
      expect(ok).toBe(false);
      expect(error?.type).toBe('ValueError');
      expect(error?.message).toBe('no');
      expect(await bench().value('kept')).toBe('42');
    });

    test('that raise have a traceback with their own lines and none of the runtime', async () => {
      const { traceback } = await bench().failure('def inner():\n    return 1 / 0  # here\n\ninner()');
      expect(traceback).toMatch(/^Traceback \(most recent call last\):\n/);
      expect(traceback).toContain('return 1 / 0  # here');
      expect(traceback).toContain('in inner');
      expect(traceback).not.toContain('fathom_guest');
      expect(traceback.trimEnd().endsWith('ZeroDivisionError: division by zero')).toBe(true);
    });

    test('show the innermost thousand frames of a deep traceback', async () => {
      const { traceback } = await bench().failure(
        'import sys\nsys.setrecursionlimit(5000)\ndef down(n): return 1 // n + down(n - 1)\ndown(3000)',
      );
      await bench().run('sys.setrecursionlimit(1000)');
      expect(traceback).toContain('[Previous line repeated 997 more times]');
      expect(traceback.trimEnd().split('\n').at(-1)).toMatch(/^ZeroDivisionError: /);
    });

    test('name a function of an earlier cell in a traceback with its source', async () => {
      await bench().run('def broken(x):\n    return x["missing key"]');
      const { traceback } = await bench().failure('broken({})');
      expect(traceback).toContain('return x["missing key"]');
      expect(traceback).toContain("KeyError: 'missing key'");
    });

    test('show causes of errors', async () => {
      const { traceback } = await bench().failure(
        'try:\n    int("x")\nexcept ValueError as e:\n    raise KeyError("k") from e',
      );
      expect(traceback).toContain('direct cause');
      expect(traceback).toContain('invalid literal');
    });

    test('report syntax errors with the place', async () => {
      const { type, traceback } = await bench().failure('x = (1,\nprint(');
      expect(type).toBe('SyntaxError');
      expect(traceback).toContain('line');
      expect(traceback).not.toContain('fathom_guest');
    });

    test('report indentation errors and NUL characters as errors of the cell', async () => {
      expect((await bench().failure('if True:\nx = 1')).type).toBe('IndentationError');
      expect((await bench().run('x = 1\0')).ok).toBe(false);
    });

    test('may be empty or hold comments only', async () => {
      expect((await bench().run('')).ok).toBe(true);
      expect((await bench().run('# nothing\n\n')).ok).toBe(true);
    });

    test('take await at top level', async () => {
      const code =
        'import asyncio\nasync def three():\n    await asyncio.sleep(0)\n    return 3\nthree_value = await three()';
      await bench().run(code);
      expect(await bench().value('three_value')).toBe('3');
      expect(await bench().value('await three()')).toBe('3');
    });

    test('take async for and async with at top level', async () => {
      const code = [
        'async def numbers():',
        '    for i in range(3):',
        '        yield i',
        'seen = []',
        'async for i in numbers():',
        '    seen.append(i)',
        'seen',
      ].join('\n');
      expect(await bench().value(code)).toBe('[0, 1, 2]');
    });

    test('let asyncio.run work, also in a cell that awaits', async () => {
      const define = 'import asyncio\nasync def job():\n    await asyncio.sleep(0.001)\n    return "done"';
      expect(await bench().value(`${define}\nasyncio.run(job())`)).toBe("'done'");
      expect(await bench().value('await asyncio.sleep(0)\nasyncio.run(job()), await job()')).toBe("('done', 'done')");
    });

    test('keep one event loop: a task outlives its cell and continues in the next await', async () => {
      const start = 'import asyncio\nout = []\nasync def late():\n    await asyncio.sleep(0)\n    out.append(1)';
      await bench().run(`${start}\nawait asyncio.sleep(0)`);
      await bench().run('task = asyncio.ensure_future(late())\nawait asyncio.sleep(0)');
      expect(await bench().value('await task\nout')).toBe('[1]');
    });

    test('make tasks without awaiting anything, as in a notebook, whose loop always runs', async () => {
      await bench().run('import asyncio\nasync def later(): return "kept"\ntask = asyncio.create_task(later())');
      expect(await bench().value('await task')).toBe("'kept'");
    });

    test('let get_event_loop().run_until_complete work', async () => {
      const code = 'import asyncio\nasync def f(): return 7\nasyncio.get_event_loop().run_until_complete(f())';
      expect(await bench().value(code)).toBe('7');
    });

    test('that call sys.exit, exit or quit fail and leave the REPL usable', async () => {
      await bench().run('survivor = 1');
      for (const code of ['import sys; sys.exit(3)', 'exit()', 'quit(0)', 'raise SystemExit']) {
        expect((await bench().failure(code)).type).toBe('SystemExit');
      }
      expect(await bench().value('survivor')).toBe('1');
    });

    test('are __main__: pickle, dataclasses and inspect find what they define', async () => {
      const code = [
        'import pickle, dataclasses, inspect',
        '@dataclasses.dataclass',
        'class Point:',
        '    x: int',
        'def source_of_me():',
        '    return 1',
        'pickle.loads(pickle.dumps(Point(2))), __name__, "return 1" in inspect.getsource(source_of_me)',
      ].join('\n');
      expect(await bench().value(code)).toBe("(Point(x=2), '__main__', True)");
    });

    test('get EOFError from input() at once and nothing from stdin', async () => {
      expect((await bench().failure('input("? ")')).type).toBe('EOFError');
      expect(await bench().value('import sys; sys.stdin.read()')).toBe("''");
    });

    test('keep cwd, sys.path and environment for the session', async () => {
      await bench().run(
        'import os, sys\nos.environ["MARK"] = "1"\nsys.path.append("/mark")\nos.makedirs("/tmp/sub", exist_ok=True)\nos.chdir("/tmp/sub")',
      );
      expect(await bench().value('os.environ["MARK"], "/mark" in sys.path, os.getcwd()')).toBe(
        "('1', True, '/tmp/sub')",
      );
    });

    test('bound the repr of a huge value', async () => {
      const value = await bench().value('"x" * 30_000_000');
      expect(value?.length).toBeLessThan(2_000_000);
      expect(value).toContain('characters left out');
    });

    test('fail when the repr of the value fails, keeping what they did', async () => {
      const code = 'class Bad:\n    def __repr__(self): raise RuntimeError("no repr")\nbad = Bad()\nbad';
      expect((await bench().failure(code)).message).toBe('no repr');
      expect(await bench().value('type(bad).__name__')).toBe("'Bad'");
    });

    test('report errors whose own text fails', async () => {
      const code = 'class Odd(Exception):\n    def __str__(self): raise ValueError("inner")\nraise Odd()';
      expect((await bench().failure(code)).type).toBe('Odd');
    });

    test('print exception groups and notes', async () => {
      const { traceback } = await bench().failure(
        'e = ValueError("v")\nif hasattr(e, "add_note"): e.add_note("a note")\nraise e',
      );
      expect(traceback).toContain('ValueError: v');
    });

    test('take 1 MB of code', async () => {
      const code = `total = 0\n${'total += 1\n'.repeat(60_000)}total`;
      expect(await bench().value(code)).toBe('60000');
    });
  });
}
