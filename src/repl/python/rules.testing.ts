/**
 * Where namespaces are refused: Landlock, seccomp and limits alone. The level process is for an ordinary user, on a kernel
 * whose Landlock governs signals (version 6, Linux 6.12).
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS, testHost } from '../../../test/repl-conformance/bench.ts';
import { pythonBackend } from './backend.ts';
import { provesFullIsolation } from './isolation.ts';
import { probePython } from './probe.ts';

/** Defines the tests, for the user who runs this process. `why` says why they cannot run, if so. */
export async function describeRules(name: string, why: string | undefined): Promise<void> {
  const probe = why === undefined ? await probePython({ modes: ['rules'] }) : undefined;
  const reason = why ?? (probe?.available === false ? probe.reason : undefined);
  if (reason !== undefined) console.warn(`The tests "${name}" are left out: ${reason}`);
  describe.skipIf(reason !== undefined)(name, () => defineRules(process.geteuid?.() === 0));
}

function defineRules(asRoot: boolean): void {
  const host = testHost();
  const least = asRoot ? 'none' : 'process';

  test('reaches the level process, proves it, and is not taken for full isolation; root reaches none', async () => {
    const backend = pythonBackend({ modes: ['rules'] });
    const isolation = await backend.prove();
    const { files, writes, metadata, shared, network, privileges, signals } = isolation.findings;
    expect([files, writes, metadata, shared, network, privileges, signals].flat()).toEqual([]);
    expect(isolation.level).toBe(least);
    expect(provesFullIsolation(isolation)).toBe(false);
    await expect(backend.open({ limits: LIMITS, host, least: asRoot ? 'process' : 'namespace' })).rejects.toMatchObject(
      {
        code: 'isolation-unavailable',
        ...(asRoot ? { message: expect.stringContaining('is not claimed for root') } : {}),
      },
    );
    await backend.close();
  });

  test('cells change no metadata of a file, signal no process and set no limit of one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fathom-metadata-'));
    const file = join(folder, 'file');
    await writeFile(file, 'ours', { mode: 0o640 });
    const backend = pythonBackend({ modes: ['rules'] });
    try {
      const before = statSync(file);
      const repl = await backend.open({ limits: LIMITS, host, least });
      const tries = [
        `os.chmod(${JSON.stringify(file)}, 0o4755)`,
        `os.chmod(${JSON.stringify(folder)}, 0)`,
        `os.utime(${JSON.stringify(file)}, (1, 1))`,
        `os.chown(${JSON.stringify(file)}, os.getuid(), os.getgid())`,
        `os.setxattr(${JSON.stringify(file)}, "user.x", b"1")`,
        `os.chmod("/proc/self/fd/%d" % os.open(${JSON.stringify(file)}, os.O_PATH), 0)`,
        'fcntl.fcntl(os.open(os.__file__, os.O_RDONLY), 1024, 0)',
        'os.chmod("/dev/null", 0o666)',
        `os.kill(${process.pid}, 0)`,
        `os.setpriority(os.PRIO_PROCESS, ${process.pid}, 19)`,
        `resource.prlimit(${process.pid}, resource.RLIMIT_CPU, (1, 1))`,
        `os.sched_setaffinity(${process.pid}, {0})`,
        `fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, ${process.pid})`,
      ];
      const lines = tries.map((line) => `try: ${line}; got.append(${JSON.stringify(line)})\nexcept OSError: pass`);
      const code = `import os, fcntl, resource\ngot = []\n${lines.join('\n')}\ngot`;
      expect((await repl.execute({ code, handle: 't1.0' })).value).toBe('[]');
      const { mode, mtimeMs, ctimeMs } = statSync(file);
      expect([mode, mtimeMs, ctimeMs]).toEqual([before.mode, before.mtimeMs, before.ctimeMs]);
    } finally {
      await backend.close();
      await rm(folder, { recursive: true });
    }
  });

  test('cells, files, snapshots, kills and bash work; host files and the network stay out of reach', async () => {
    const backend = pythonBackend({ modes: ['rules'] });
    const repl = await backend.open({ limits: LIMITS, host, least });
    const run = (code: string, timeoutMs = 10_000) => repl.execute({ code, handle: 't1.0', timeoutMs });
    expect((await run('import os\nopen("f", "w").write("old"); x = 1; llm_query("hi")')).value).toBe("'echo: hi'");
    await repl.snapshot('s');
    await run(
      'open("f", "w").write("new"); x = 2\nimport subprocess; subprocess.Popen("setsid sleep 987 & sleep 987 &", shell=True)',
    );
    await repl.rollback('s');
    expect(sleepers()).toBe(0);
    expect((await run('open("f").read(), x')).value).toBe("('old', 1)");
    expect(await run('sum(range(10**13))', 200)).toMatchObject({
      timedOut: true,
      restarted: { lost: expect.any(String) },
    });
    const reach = [
      'got = []',
      `for path in ("/etc/passwd", "/root", "/proc/1/environ", "/proc/${process.pid}/environ", "${import.meta.filename}"):`,
      '    try: os.listdir(path) if os.path.isdir(path) else open(path).read(1); got.append(path)',
      '    except OSError: pass',
      'try: __import__("socket").socket(); got.append("socket")',
      'except OSError: pass',
      'try: open("/tmp/outside", "w"); got.append("write")',
      'except OSError: pass',
      'got, x',
    ].join('\n');
    expect((await run(reach)).value).toBe('([], 1)');
    expect(await repl.bash({ command: 'cat f; cat /etc/passwd', handle: 't1.1' })).toMatchObject({
      exitCode: 1,
      stdout: { text: 'old' },
    });
    await run('import subprocess; subprocess.Popen("setsid sleep 987 &", shell=True)');
    await repl.close();
    expect(sleepers()).toBe(0);
    await backend.close();
    expect(existsSync('/tmp/outside')).toBe(false);
  });

  test('files of a context are read and not changed, also after a rollback that takes their link away', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fathom-shown-'));
    await writeFile(join(folder, 'a'), 'needle');
    const backend = pythonBackend({ modes: ['rules'] });
    const repl = await backend.open({ limits: LIMITS, host, least });
    const run = (code: string) => repl.execute({ code, handle: 't1.0' });
    await run('import os; open("mine", "w").write("mine")');
    await repl.snapshot('before');
    await repl.bind({ files: [{ at: 'd/a', file: { path: join(folder, 'a'), bytes: 6 } }] });
    const tries = ['open("context/d/a", "w")', 'os.remove("context/d/a")', 'os.chmod("context/d/a", 0o777)'];
    const tried = `
done = []
for code in ${JSON.stringify([...tries, 'os.mkdir("context/e")', 'os.utime("context/d/a")'])}:
    try: eval(code); done.append(code)
    except OSError: pass
done, open("context/d/a").read()`;
    expect((await run(tried)).value).toBe("([], 'needle')");
    expect((await repl.bash({ command: 'grep -r needle context', handle: 't1.1' })).stdout.text).toBe(
      'context/d/a:needle\n',
    );
    await repl.rollback('before');
    expect((await run('open("context/d/a").read(), open("mine").read()')).value).toBe("('needle', 'mine')");
    await backend.close();
    await rm(folder, { recursive: true });
  });
}

/** Processes that one of these tests has left behind. */
function sleepers(): number {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8') === ['sleep', '987', ''].join('\0');
    } catch {
      return false;
    }
  }).length;
}
