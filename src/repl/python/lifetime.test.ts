/** Processes: who ends with whom, and that a thousand rollbacks leave nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIMITS, testHost } from '../../../test/repl-conformance/bench.ts';
import type { Repl } from '../port.ts';
import { type PythonBackend, pythonBackend } from './backend.ts';
import { describeWithPython } from './testing.ts';
import { removeStaleFolders } from './zygote-folder.ts';

/** Processes of a backend without a REPL: launcher, zygote, and the spare REPL's two. */
const IDLE = 4;
/** Rollbacks of the long test. */
const ROLLBACKS = Number(process.env.FATHOM_ROLLBACKS ?? 100);

/** Every process below `root`, by /proc. */
function processesBelow(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      if (fields[0] !== 'Z') parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has just ended.
    }
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found.slice(1);
}

async function until(condition: () => boolean, ms = 15_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

await describeWithPython('lifetime', () => {
  let backend: PythonBackend;
  const host = testHost();
  const open = (): Promise<Repl> => backend.open({ limits: LIMITS, host, least: 'namespace' });
  const run = (repl: Repl, code: string, timeoutMs = 10_000) => repl.execute({ code, handle: 't1.0', timeoutMs });
  const alive = (): number => processesBelow(process.pid).length;

  beforeAll(() => {
    backend = pythonBackend();
  });
  afterAll(() => backend.close());

  test('a closed REPL leaves no process, whatever it started and however that hid', async () => {
    const first = await open();
    await until(() => alive() === IDLE + 2);
    const repl = await open();
    await run(
      repl,
      'import subprocess, os\nsubprocess.Popen("sleep 1000 & setsid sleep 1000 & nohup sleep 1000 &", shell=True)',
    );
    const daemon =
      'import os, time, signal\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        for s in range(1, 32):\n            try: signal.signal(s, signal.SIG_IGN)\n            except (OSError, ValueError): pass\n        while True: time.sleep(100)\n    os._exit(0)';
    await run(repl, daemon);
    await repl.bash({ command: '(sleep 1000 &) ; disown -a; exit 0', handle: 't1.1' });
    expect(alive()).toBeGreaterThan(IDLE + 2 + 6);
    await repl.close();
    await until(() => alive() === IDLE + 2);
    await first.close();
  });

  test('a rollback ends what ran since, daemons included', async () => {
    const repl = await open();
    await run(repl, 'x = 1');
    await repl.snapshot('calm');
    // Supervisor, the live process, and the snapshot, which is the automatic one as well.
    await until(() => alive() === IDLE + 3);
    await run(
      repl,
      'import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        while True: time.sleep(100)',
    );
    await until(() => alive() === IDLE + 3 + 6);
    await repl.rollback('calm');
    await until(() => alive() === IDLE + 3);
    await repl.close();
  });

  test('a cell that floods the supervisor and reads no answer is ended, and holds up no other REPL', async () => {
    const repl = await open();
    await run(repl, 'x = 1');
    const flood =
      'import os\nfor pid in range(3):\n    if os.fork() == 0: break\nwhile True: os.write(1001, b\'{"failed": "x"}\')';
    const outcome = await run(repl, flood, 1_000);
    expect(outcome.restarted?.lost).toMatch(/^variables and files are as they were/);
    expect(outcome.durationMs).toBeLessThan(10_000);
    expect((await run(repl, 'x')).value).toBe('1');
    await repl.close();
  }, 40_000);

  test('deleting a snapshot frees its process', async () => {
    const repl = await open();
    await run(repl, 'x = 1');
    await repl.snapshot('a');
    await run(repl, 'x = 2');
    await until(() => alive() === IDLE + 4);
    await repl.deleteSnapshot('a');
    await until(() => alive() === IDLE + 3);
    await repl.close();
  });

  test('everything ends with the host, also by kill -9, in the middle of a cell and of a fork bomb', async () => {
    for (const code of ['while True: pass', 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass']) {
      const { child, folder } = await startHost(code);
      const pids = processesBelow(child.pid ?? 0);
      expect(pids.length).toBeGreaterThan(3);
      child.kill('SIGKILL');
      await until(() => pids.every((pid) => !existsSync(`/proc/${pid}`) || isZombie(pid)), 15_000);
      await until(() => readdirSync(folder).length === 0, 15_000);
      rmdirSync(folder);
    }
  });

  test('an idle backend does not keep its host alive', async () => {
    const { child, folder } = await startHost('1', true);
    await until(() => child.exitCode !== null, 10_000);
    await until(() => readdirSync(folder).length === 0);
    rmdirSync(folder);
    expect(child.exitCode).toBe(0);
  });

  test('the folder of a launcher that was killed with its host is removed by a later one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-zygote-'));
    const fresh = mkdtempSync(join(tmpdir(), 'fathom-zygote-'));
    mkdirSync(join(folder, 'root'));
    const old = new Date(Date.now() - 3_600_000);
    utimesSync(folder, old, old);
    await removeStaleFolders();
    expect([existsSync(folder), existsSync(fresh)]).toEqual([false, true]);
    rmdirSync(fresh);
  });

  test('a killed zygote loses its REPLs by an error, and the next REPL gets a new one', async () => {
    const launchers = (): number[] => processesBelow(process.pid).filter((pid) => readComm(pid) === 'launcher');
    const others = new Set(launchers());
    const own = pythonBackend();
    const repl = await own.open({ limits: LIMITS, host, least: 'namespace' });
    const launcher = launchers().find((pid) => !others.has(pid));
    const pids = processesBelow(launcher ?? 0);
    process.kill(launcher ?? 0, 'SIGKILL');
    await until(() => pids.every((pid) => isZombie(pid)));
    await expect(run(repl, '1')).rejects.toMatchObject({ code: 'repl-failure' });
    const next = await own.open({ limits: LIMITS, host, least: 'namespace' });
    expect((await run(next, '1 + 1')).value).toBe('2');
    await own.close();
  });

  describe(`${ROLLBACKS} rollbacks`, () => {
    test('normal, of a hung cell, and of one killed in the middle of a frame: no error, no process, no growth', async () => {
      const repl = await open();
      await run(repl, 'import os, gc, struct\nn = 0\ndata = list(range(50_000))\nopen("/tmp/f", "w").write("old")');
      await repl.snapshot('base');
      const cut =
        'n = 5\nopen("/tmp/f", "w").write("new")\nch = next(o for o in gc.get_objects() if type(o).__name__ == "Channel")\nos.write(ch.transport._fd, struct.pack("<IB", 5000, 5) + b"torn")\nos.kill(os.getpid(), 9)';
      await repl.rollback('base');
      await until(() => alive() >= IDLE + 3); // the REPL, its snapshot, and the spare one after them
      const before = { processes: alive(), memory: zygoteMemory() };
      for (let round = 0; round < ROLLBACKS; round += 1) {
        if (round % 25 === 3) await run(repl, 'n = 7\nsum(range(10**13))', 30);
        else if (round % 3 === 1) await run(repl, cut);
        else await run(repl, 'n += 1; data.append(n); open("/tmp/g", "w").write("x")');
        await repl.rollback('base');
        const { value, error } = await run(repl, 'n, len(data), open("/tmp/f").read(), os.path.exists("/tmp/g")');
        expect([error, value]).toEqual([null, "(0, 50000, 'old', False)"]);
      }
      await until(() => alive() <= before.processes + 1);
      expect(zygoteMemory()).toBeLessThan(before.memory + 3_000_000);
      await repl.close();
    }, 600_000);
  });

  /** Private memory of supervisor and zygote in bytes. */
  function zygoteMemory(): number {
    let total = 0;
    for (const pid of processesBelow(process.pid)) {
      if (!['zygote', 'supervisor', 'launcher'].includes(readComm(pid))) continue;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      total += Number(/Private_Dirty:\s+(\d+)/.exec(rollup)?.[1] ?? 0) * 1024;
    }
    return total;
  }
});

function readComm(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

/** A host of its own that opens a REPL, runs a cell and, when the cell ends, does nothing more. */
async function startHost(code: string, quiet = false): Promise<{ child: ChildProcess; folder: string }> {
  const backend = fileURLToPath(new URL('./backend.ts', import.meta.url));
  const bench = { ...LIMITS };
  const script = `
    import { pythonBackend } from ${JSON.stringify(backend)};
    import { readdirSync } from 'node:fs';
    const none = async () => null;
    const host = { subCall: none, callTool: none, checkAnswer: none, readHistory: none, readProjection: none };
    const repl = await pythonBackend().open({ limits: ${JSON.stringify(bench)}, host, least: 'namespace' });
    const cell = repl.execute({ code: ${JSON.stringify(code)}, handle: 'x' });
    ${quiet ? 'await cell;' : ''}
    setTimeout(() => console.log('running'), 150).unref();
    ${quiet ? '' : 'await cell;'}
  `;
  const folder = mkdtempSync('/tmp/fathom-host-');
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', TMPDIR: folder },
  });
  if (!quiet) await new Promise((resolve) => child.stdout?.once('data', resolve));
  return { child, folder };
}
