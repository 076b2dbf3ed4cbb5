import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cacheFolder } from '../cache-folder.ts';
import { findBubblewrap } from '../namespace.ts';
import { openTestRepl, testBackend } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-life-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const here = import.meta.dirname;
/** Moments of a worker's start, over 16 ms, at which it is killed. */
const ROUNDS = process.env.FATHOM_SOAK === undefined ? 6 : 16;

interface HostScript {
  /** Code before it says anything. */
  readonly work?: string;
  /** Code after that. */
  readonly rest?: string;
  readonly most?: 'process' | 'namespace';
}

const STAYS = 'setInterval(() => {}, 1000);';

/** Starts a cell that never ends, and waits for what it prints first: it runs. */
const running = (code: string): string =>
  `await new Promise((resolve) => void repl.execute({ code: ${JSON.stringify(`print("on", flush=True)\n${code}`)}, handle: 'e2', onOutput: resolve }));`;

/** A host of its own: opens a REPL, does `work`, says which processes it has once a spare is among them, does `rest`. */
function startHost({ work = '', rest = '', most = 'process' }: HostScript): ChildProcess {
  const script = join(folder, `host-${Math.random().toString(36).slice(2)}.ts`);
  writeFileSync(
    script,
    `import { readFileSync } from 'node:fs';
import { openTestRepl, testBackend } from ${JSON.stringify(join(here, 'testing.ts'))};
const backend = testBackend({ most: ${JSON.stringify(most)} });
const repl = await openTestRepl(backend);
await repl.execute({ code: 'x = 1', handle: 'e1' });
const children = (pid) => readFileSync(\`/proc/\${pid}/task/\${pid}/children\`, 'utf8').trim().split(' ').filter(Boolean);
const tree = (pid) => children(pid).flatMap((child) => [child, ...tree(child)]);
${work}
while (children(process.pid).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
console.log(tree(process.pid).join(' '));
${rest}
`,
  );
  return spawn(process.execPath, ['--no-warnings', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

function firstLine(host: ChildProcess): Promise<string> {
  return new Promise((resolve) => host.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
}

function isAlive(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilGone(pids: readonly string[], ms: number): Promise<string[]> {
  const end = Date.now() + ms;
  while (Date.now() < end && pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  return pids.filter(isAlive);
}

describe.skipIf(process.platform !== 'linux')('processes', () => {
  const works = {
    'while it is idle': '',
    'while a cell computes in Python': running('while True: pass'),
    'while a cell is inside of a C function': running('sum(range(10**12))'),
    'while a cell sleeps': running('import time; time.sleep(1000)'),
  };
  for (const [when, work] of Object.entries(works)) {
    test(`end with a host that is killed ${when}, spares included`, async () => {
      const host = startHost({ work, rest: STAYS });
      const pids = (await firstLine(host)).split(' ');
      expect(pids.length).toBeGreaterThanOrEqual(2);
      host.kill('SIGKILL');
      expect(await untilGone(pids, 5_000)).toEqual([]);
    }, 60_000);
  }

  test.skipIf(findBubblewrap() === undefined)(
    'in namespaces end with a killed host as well',
    async () => {
      const host = startHost({ work: running('sum(range(10**12))'), rest: STAYS, most: 'namespace' });
      const pids = (await firstLine(host)).split(' ');
      host.kill('SIGKILL');
      expect(await untilGone(pids, 5_000)).toEqual([]);
    },
    60_000,
  );

  test('that are idle do not keep the host alive, and go with it', async () => {
    const host = startHost({});
    // Before its line is read, which may come after its end.
    const code = new Promise((resolve) => host.once('exit', resolve));
    const pids = (await firstLine(host)).split(' ');
    expect(await code).toBe(0);
    expect(await untilGone(pids, 5_000)).toEqual([]);
  }, 60_000);

  test('are gone when the backend is closed', async () => {
    const backend = testBackend({ most: 'process' });
    const repls = await Promise.all([openTestRepl(backend), openTestRepl(backend), openTestRepl(backend)]);
    await Promise.all(repls.map((repl) => repl.execute({ code: 'x = 1', handle: 'e1' })));
    await backend.close();
    await expect(repls[0]?.execute({ code: 'x', handle: 'e2' })).rejects.toMatchObject({ code: 'session-closed' });
    await expect(openTestRepl(backend)).rejects.toThrow('closed');
  });
});

describe('the base snapshot', () => {
  test('is made once, kept for the user alone, and made again when a byte of it has changed', async () => {
    const cacheDir = join(folder, 'cache');
    /** How often a REPL that opens reports that it waits for the snapshot. */
    let notices = 0;
    const open = async (): Promise<void> => {
      const backend = testBackend({ most: 'process', cacheDir, spares: 0 });
      const onPreparing = (): void => void notices++;
      const repl = await openTestRepl(backend, {}, { onPreparing });
      expect((await repl.execute({ code: '1 + 1', handle: 'e1' })).value).toBe('2');
      await backend.close();
    };
    await open();
    expect(statSync(cacheDir).mode & 0o777).toBe(0o700);
    const { readdirSync } = await import('node:fs');
    const base = join(cacheDir, readdirSync(cacheDir).find((name) => name.endsWith('.bin')) ?? '');
    expect(statSync(base).mode & 0o777).toBe(0o600);
    const made = statSync(base).mtimeMs;
    expect(notices).toBe(1);
    await open();
    expect(notices).toBe(1);
    expect(statSync(base).mtimeMs).toBe(made);
    const bytes = readFileSync(base);
    bytes.writeUInt8(bytes.readUInt8(20_000_000) ^ 1, 20_000_000);
    writeFileSync(base, bytes);
    await open();
    expect(readFileSync(base).equals(bytes)).toBe(false);
    expect(notices).toBe(2);
  }, 60_000);

  test('is kept in a private folder when the cache folder is not the user’s alone', async () => {
    const { chmodSync, mkdirSync, symlinkSync } = await import('node:fs');
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(cacheFolder(open)).not.toBe(open);
    const link = join(folder, 'link');
    symlinkSync(folder, link);
    expect(cacheFolder(link)).not.toBe(link);
    expect(cacheFolder('relative/folder')).not.toContain('relative');
    expect(statSync(cacheFolder(open)).mode & 0o777).toBe(0o700);
  });
});

describe('memory', () => {
  test('a text that cannot fit is refused with both sizes before anything starts', async () => {
    const backend = testBackend({ most: 'process' });
    const repl = await openTestRepl(backend, { memoryBytes: 128 * 1024 * 1024 });
    const text = 'x'.repeat(100_000_000);
    const bind = repl.bind({ values: { context: { kind: 'text', text } } });
    await expect(bind).rejects.toMatchObject({
      code: 'context-length',
      message: expect.stringMatching(/100000000.*67108864/),
    });
    expect((await repl.execute({ code: '"still here"', handle: 'e1' })).value).toBe("'still here'");
    await backend.close();
  });
});

describe.skipIf(findBubblewrap() === undefined)('a REPL in namespaces', () => {
  test('does everything: cells, files, bash, snapshots, restarts', async () => {
    const backend = testBackend();
    const repl = await openTestRepl(backend);
    expect(repl.info.isolation).toBe('namespace');
    const run = async (code: string) => repl.execute({ code, handle: 'e1' });
    await run('x = 41; open("/tmp/f", "w").write("text")');
    await repl.snapshot('a');
    expect((await repl.bash({ command: 'cat /tmp/f | wc -c; pwd', handle: 'e2' })).stdout.text.trim()).toBe(
      '4\n/home/pyodide',
    );
    expect((await run('x += 1; import os; os._exit(1)')).restarted?.lost).toContain('as they were before');
    expect((await run('x, open("/tmp/f").read()')).value).toBe("(41, 'text')");
    await repl.rollback('a');
    expect((await run('x + 1')).value).toBe('42');
    await backend.close();
  }, 60_000);
});

describe.skipIf(findBubblewrap() === undefined)('a worker whose outer process is killed while it starts', () => {
  const children = (): readonly string[] =>
    readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test('has ended, also where its inner one lives on and holds the pipes', async () => {
    const backend = testBackend({ most: 'namespace' });
    for (let round = 0; round < ROUNDS; round += 1) {
      const known = children();
      const repl = await openTestRepl(backend);
      // The spare that takes the place of the one just taken, at another moment of its start in each round.
      await expect
        .poll(() => children().filter((pid) => !known.includes(pid)).length, { interval: 1 })
        .toBeGreaterThan(0);
      await pause(round * (16 / ROUNDS));
      for (const pid of children().filter((one) => !known.includes(one))) process.kill(Number(pid), 'SIGKILL');
      await repl.close();
    }
    await backend.close();
    await expect.poll(() => children(), { timeout: 5_000 }).toEqual([]);
  }, 60_000);
});
