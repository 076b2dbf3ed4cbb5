/** Snapshots beyond the port's contract: threads, pools, open files, quotas, native libraries. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LIMITS, testHost } from '../../../test/repl-conformance/bench.ts';
import { descendants } from '../../../test/tree/processes.ts';
import type { Repl, ReplLimits } from '../port.ts';
import { type PythonBackend, pythonBackend } from './backend.ts';
import { marked, nextMark, prelude, until } from './marked-processes.testing.ts';
import { describeWithPython } from './testing.ts';

await describeWithPython('snapshots of the python backend', () => {
  let backend: PythonBackend;
  const host = testHost();
  const open = (limits: Partial<ReplLimits> = {}): Promise<Repl> =>
    backend.open({ limits: { ...LIMITS, ...limits }, host, least: 'namespace' });
  const run = (repl: Repl, code: string) => repl.execute({ code, handle: 't1.0' });
  const value = async (repl: Repl, code: string): Promise<string | null> => {
    const { value, error } = await run(repl, code);
    expect(error).toBeNull();
    return value;
  };

  beforeAll(() => {
    backend = pythonBackend();
  });
  afterAll(() => backend.close());

  test('20 with a thread alive none is taken: the error names it, and a kill goes further back and says so', async () => {
    const repl = await open();
    await run(repl, 'import threading, os\nkept = 1');
    await run(repl, 'go = threading.Event()\nthread = threading.Thread(target=go.wait)\nthread.start()\nlater = 2');
    await expect(repl.snapshot('s')).rejects.toThrow(/a thread of earlier cells still running/);
    const { restarted } = await run(repl, 'os._exit(1)');
    expect(restarted?.lost).toMatch(/at an earlier moment .*a thread of earlier cells/);
    expect(await value(repl, 'kept, "later" in globals(), threading.active_count()')).toBe('(1, False, 1)');
    await repl.snapshot('s');
    await repl.close();
  });

  test('none is taken before the first cell, which loses nothing when it is killed: what is bound is bound again', async () => {
    const repl = await backend.open({ limits: LIMITS, host, least: 'namespace', mayKeepSpare: false });
    await repl.bind({ values: { context: { kind: 'json', json: '[1, 2]' } } });
    /** Processes while a cell runs, more than before the first one. */
    const idle = descendants().length;
    const more = async (): Promise<number> => {
      let seen = 0;
      const onOutput = (): void => {
        seen = descendants().length - idle;
      };
      await repl.execute({ code: 'print("x", flush=True)\nllm_query("a")', handle: 't1.0', onOutput });
      return seen;
    };
    expect([await more(), await more()]).toEqual([0, 1]);
    await repl.close();

    const killed = await open();
    await killed.bind({ values: { context: { kind: 'json', json: '[1, 2]' } } });
    const { restarted } = await run(killed, 'import os\ngone = 1\nos._exit(1)');
    expect(restarted?.lost).toBe('variables and files are as they were before this cell');
    expect(await value(killed, 'kept = 3\n(context, "gone" in globals())')).toBe('([1, 2], False)');
    // From now on there is something to lose, and it is not lost.
    expect((await run(killed, 'import os\nos._exit(1)')).restarted?.lost).toMatch(/before this cell/);
    expect(await value(killed, 'kept')).toBe('3');
    await killed.close();
  });

  test('after a cell that gave an answer one is made before the next cell, or in a quiet moment', async () => {
    const repl = await open();
    const mark = nextMark();
    await run(repl, `${prelude(mark)}kept = 1\nFINAL(kept)`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(marked(mark)).toHaveLength(1);
    await until(() => marked(mark).length === 2);

    await run(repl, 'later = 2\nFINAL(later)');
    const { restarted } = await run(repl, 'os._exit(1)');
    expect(restarted?.lost).toBe('variables and files are as they were before this cell');
    expect(await value(repl, 'kept, later')).toBe('(1, 2)');
    await repl.close();

    // A cell without an answer has its snapshot at once.
    const control = await open();
    await run(control, `${prelude(mark)}kept = 1`);
    await until(() => marked(mark).length === 2, 400);
    await control.close();
  });

  test('a REPL that ends before that moment says what it lost', async () => {
    for (const { cells, lost } of [
      { cells: ['1'], lost: /all variables, files and snapshots are lost/ },
      { cells: ['earlier = 1', '1'], lost: /at an earlier moment .*before there was a snapshot of its last cell/ },
    ]) {
      const repl = await open();
      const mark = nextMark();
      for (const code of cells.slice(0, -1)) await run(repl, code);
      await run(repl, `${prelude(mark)}FINAL(1)`);
      for (const { pid } of marked(mark)) process.kill(pid, 'SIGKILL');
      const { restarted } = await run(repl, '2');
      expect(restarted?.lost).toMatch(lost);
      await repl.close();
    }
  });

  test('what is set before the first cell is in the snapshot before it', async () => {
    const repl = await open();
    await repl.setVariable('given', [4]);
    await run(repl, 'import os\nos._exit(1)');
    expect(await value(repl, 'given')).toBe('[4]');
    await repl.close();
  });

  test('idle thread pools do not stand in the way, and work after a rollback', async () => {
    const repl = await open();
    await run(repl, 'from concurrent.futures import ThreadPoolExecutor\nimport asyncio, time\npool = ThreadPoolExecutor(4)\nlist(pool.map(time.sleep, [0.01] * 8))'); // biome-ignore format: a cell
    await run(repl, 'await asyncio.to_thread(time.sleep, 0.01)');
    await repl.snapshot('pool');
    expect(await value(repl, 'list(pool.map(abs, [-1, -2]))')).toBe('[1, 2]');
    await repl.rollback('pool');
    expect(await value(repl, 'list(pool.map(abs, [-3, -4])), await asyncio.to_thread(abs, -5)')).toBe('([3, 4], 5)');
    await repl.close();
  });

  test('say how much memory and how many files they stand for', async () => {
    const repl = await open();
    const { bytes: before } = await repl.snapshot('before');
    await run(repl, 'data = b"x" * 30_000_000\nopen("f", "wb").write(b"y" * 20_000_000)');
    const { bytes } = await repl.snapshot('after');
    expect(bytes - before).toBeGreaterThan(49_000_000);
    expect(bytes - before).toBeLessThan(60_000_000);
    await repl.close();
  });

  test('open files are at their old place again', async () => {
    const repl = await open();
    await run(repl, 'f = open("log", "w+"); f.write("one two three"); f.flush(); f.seek(4)');
    await repl.snapshot('at 4'.replace(' ', '-'));
    await run(repl, 'f.read(); f.write("!!!"); f.flush(); open("log", "a").write("more")');
    await repl.rollback('at-4');
    expect(await value(repl, 'f.read(3), open("log").read()')).toBe("('two', 'one two three')");
    expect(await value(repl, 'f.seek(0); f.write("ONE"); f.flush(); open("log").read()')).toBe("'ONE two three'");
    await repl.close();
  });

  test('the working folder, links, rights, times and holes of files come back', async () => {
    const repl = await open();
    const make = [
      'import os, stat',
      'os.makedirs("a/b"); os.chdir("a/b")',
      'with open("big", "wb") as f: f.truncate(200_000_000); f.seek(100_000_000); f.write(b"middle")',
      'os.symlink("big", "link"); os.chmod("big", 0o640); os.utime("big", (1_000_000_000, 1_000_000_000))',
      'open("other", "w").write("x")',
    ];
    expect((await run(repl, make.join('\n'))).error).toBeNull();
    await repl.snapshot('tree');
    await run(repl, 'import shutil\nos.chdir("/work"); shutil.rmtree("a"); open("a", "w").write("no folder")');
    await repl.rollback('tree');
    const look =
      'with open("link", "rb") as f: _ = f.seek(100_000_000); m = f.read(6)\ns = os.stat("big")\nos.getcwd(), m, s.st_size, s.st_blocks < 100, oct(s.st_mode & 0o777), s.st_mtime, open("other").read()';
    expect(await value(repl, look)).toBe("('/work/a/b', b'middle', 200000000, True, '0o640', 1000000000.0, 'x')");
    await repl.close();
  });

  test('43 the memory they hold is bounded: one too many is refused, and deleting makes room', async () => {
    const repl = await open({ memoryBytes: 200 * 1024 * 1024, maxSnapshots: 10 });
    const fill = (letter: string) =>
      value(repl, `x = None\nx = bytearray(120_000_000)\nfor i in range(0, len(x), 4096): x[i] = ord("${letter}")`);
    await fill('x');
    await repl.snapshot('one');
    await fill('y');
    await repl.snapshot('two');
    await fill('z');
    await expect(repl.snapshot('three')).rejects.toMatchObject({ code: 'snapshot-limit' });
    await repl.deleteSnapshot('one');
    await repl.snapshot('three');
    await repl.rollback('two');
    expect(await value(repl, 'x[:1]')).toBe("bytearray(b'y')");
    await repl.close();
  });

  test('numpy computes after a rollback, in threads of its own', async (context) => {
    const repl = await open({ memoryBytes: 2 * 1024 ** 3 });
    const { error } = await run(repl, 'import numpy as np\na = np.ones((300, 300)); (a @ a).sum()');
    if (error?.type === 'ModuleNotFoundError') return context.skip();
    expect(error).toBeNull();
    await repl.snapshot('np');
    await run(repl, 'a *= 0; a @ a');
    await repl.rollback('np');
    expect(await value(repl, 'float((a @ a).sum())')).toBe('27000000.0');
    await repl.close();
  });

  test('cells do not have to wait for snapshots as for children', async () => {
    const repl = await open();
    await run(repl, 'import os, subprocess');
    await repl.snapshot('s');
    const code =
      'p = subprocess.Popen("exit 3", shell=True)\nended = []\ntry:\n    while True: ended.append(os.waitstatus_to_exitcode(os.wait()[1]))\nexcept ChildProcessError: ended.append("none")\nended';
    expect(await value(repl, code)).toBe("[3, 'none']");
    await repl.rollback('s');
    expect(await value(repl, code)).toBe("[3, 'none']");
    const asynchronous =
      'import asyncio\np = await asyncio.create_subprocess_shell("echo out; exit 4", stdout=-1)\n(await p.communicate())[0], p.returncode';
    expect(await value(repl, asynchronous)).toBe("(b'out\\n', 4)");
    await repl.close();
  });

  test('42 a cell that ends its own snapshots gets an empty REPL, with what was bound, and its caller reads so', async () => {
    const repl = await open();
    await repl.bind({ values: { context: { kind: 'text', text: 'bound' } } });
    await run(repl, 'gone = 1');
    const attack =
      'import os\nfor p in os.listdir("/proc"):\n    if p.isdigit() and int(p) not in (1, os.getpid()): os.kill(int(p), 9)\nos._exit(0)';
    const { restarted } = await run(repl, attack);
    expect(restarted?.lost).toContain('all variables, files and snapshots are lost');
    expect(await value(repl, 'context, "gone" in globals()')).toBe("('bound', False)");
    await repl.close();
  });
});
