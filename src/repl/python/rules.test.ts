/** Where namespaces are refused: Landlock, seccomp and limits alone. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LIMITS, testHost } from '../../../test/repl-conformance/bench.ts';
import { pythonBackend } from './backend.ts';
import { provesFullIsolation } from './isolation.ts';
import { probePython } from './probe.ts';

const probe = process.platform === 'linux' ? await probePython({ modes: ['rules'] }) : undefined;
const reason = probe === undefined ? 'this is not Linux' : probe.available ? undefined : probe.reason;
if (reason !== undefined) console.warn(`The tests "python without namespaces" are left out: ${reason}`);

describe.skipIf(reason !== undefined)('python without namespaces', () => {
  const host = testHost();

  test('reaches the level process, proves it, and is not taken for full isolation', async () => {
    if (probe?.available !== true) return;
    const { findings, level } = probe.isolation;
    expect(level).toBe('process');
    expect(provesFullIsolation(probe.isolation)).toBe(false);
    expect([findings.files, findings.writes, findings.network, findings.privileges].flat()).toEqual([]);
    const backend = pythonBackend({ modes: ['rules'] });
    await expect(backend.open({ limits: LIMITS, host, least: 'namespace' })).rejects.toMatchObject({
      code: 'isolation-unavailable',
    });
    await backend.close();
  });

  test('cells, files, snapshots, kills and bash work; host files and the network stay out of reach', async () => {
    const backend = pythonBackend({ modes: ['rules'] });
    const repl = await backend.open({ limits: LIMITS, host, least: 'process' });
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
});

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
