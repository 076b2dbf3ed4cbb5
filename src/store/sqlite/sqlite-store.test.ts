import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunRecord } from '../run-record.ts';
import { sqliteStore } from './sqlite-store.ts';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-sqlite-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Runs a program in another process that opens the store and says when it is done; it stays until it is killed. */
async function otherProcess(
  program: string,
): Promise<{ readonly pid: number; kill(): Promise<void>; stderr(): string }> {
  const module = new URL('./sqlite-store.ts', import.meta.url).href;
  const code = `import { sqliteStore } from ${JSON.stringify(module)};
    const store = sqliteStore(${JSON.stringify(folder)});
    ${program}
    console.log('ready');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let stderr = '';
  child.stderr?.on('data', (data) => {
    stderr += String(data);
  });
  await Promise.race([
    once(child.stdout ?? child, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error(stderr))),
  ]);
  return {
    pid: child.pid ?? 0,
    stderr: () => stderr,
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const record = { id: 'r', traceId: 'r', depth: 0, status: 'running', createdAt: '', updatedAt: '', request: {} };

describe('a folder that cannot be used', () => {
  it.each(['', undefined, '/dev/null', '/dev/null/below', ...(existsSync('/proc/self') ? ['/proc/none/below'] : [])])(
    'is refused: %s',
    (path) => {
      expect(() => sqliteStore(path as string)).toThrow(expect.objectContaining({ code: 'store-failure' }));
    },
  );
});

describe('a process that writes to a folder', () => {
  it('leaves runs of a killed process interrupted, also for those who only look', async () => {
    const running = JSON.stringify(record);
    const other = await otherProcess(`await store.lock('run r', 'it'); await store.runs.put(${running});`);
    const looking = sqliteStore(folder, { readOnly: true });
    expect((await looking.runs.get('r'))?.status).toBe('running');
    await looking.close();
    await other.kill();
    const later = sqliteStore(folder, { readOnly: true });
    expect((await later.runs.list({ status: 'interrupted' })).map((run) => run.id)).toEqual(['r']);
    await later.close();
    const store = sqliteStore(folder);
    expect((await store.runs.get('r'))?.status).toBe('interrupted');
    await store.close();
  });

  it('loses nothing that was written when it is killed', async () => {
    const other = await otherProcess(`
      let last;
      for (let n = 0; n < 1000; n++) last = store.journal.append('j', { kind: 'k', key: String(n), body: n }, 'written');
      await last;`);
    await other.kill();
    const store = sqliteStore(folder);
    expect((await store.journal.read('j')).map((entry) => entry.body)).toEqual(
      Array.from({ length: 1000 }, (_, n) => n),
    );
    await store.close();
  });

  it('commits what it holds when the process ends by process.exit, and prints no warning', async () => {
    const ended = otherProcess(`
      process.stderr.write('started');
      void store.journal.append('j', { kind: 'k', key: 'last', body: 1 }, 'written');
      process.exit();`);
    await expect(ended).rejects.toThrow(/^started$/);
    const store = sqliteStore(folder);
    expect(await store.journal.read('j')).toHaveLength(1);
    await store.close();
  });
});

describe('a folder', () => {
  it('is private to its user and kept out of git', async () => {
    const inside = join(folder, 'new');
    const store = sqliteStore(inside);
    expect(statSync(inside).mode & 0o077).toBe(0);
    expect(existsSync(join(inside, '.gitignore'))).toBe(true);
    await store.close();
  });

  it('that was there and open to all holds files of its user only', async () => {
    chmodSync(folder, 0o755);
    const store = sqliteStore(folder);
    await store.journal.append('j', { kind: 'k', key: 'a', body: 1 }, 'written');
    const files = readdirSync(folder).filter((name) => name !== '.gitignore');
    expect(files).toContain('store.sqlite-wal');
    expect(files.filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0)).toEqual([]);
    await store.close();
  });

  it('that is not a store cannot be read, and nothing is created there', () => {
    expect(() => sqliteStore(folder, { readOnly: true })).toThrow('There is no store at');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses writes of those who only look', async () => {
    await sqliteStore(folder).close();
    const store = sqliteStore(folder, { readOnly: true });
    await expect(store.runs.put(record as unknown as RunRecord)).rejects.toThrow('to look at it only');
    await expect(store.blobs.put('x', 'r')).rejects.toMatchObject({ code: 'store-failure' });
    await store.close();
  });

  it('of a newer version is refused in words', () => {
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec(`PRAGMA application_id = ${0x4674_686d}; PRAGMA user_version = 99`);
    database.close();
    expect(() => sqliteStore(folder)).toThrow('has version 99; this Fathom knows versions up to');
  });

  it('with a foreign or broken database is refused in words, again and again', () => {
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec('PRAGMA user_version = 3');
    database.close();
    expect(() => sqliteStore(folder)).toThrow('not a Fathom store');
    writeFileSync(join(folder, 'store.sqlite'), 'not a database, but long enough to be read as one'.repeat(100));
    for (let times = 0; times < 2; times++) expect(() => sqliteStore(folder)).toThrow('file is not a database');
  });
});

it('no SQL of a store names its parameters by number: some versions of Node bind those by another', () => {
  const root = join(import.meta.dirname, '..');
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(10);
  const numbered = /[\s(=,]\?[0-9]+\b/;
  expect(numbered.test(`WHERE owner = ? AND ${'?'}2 IS NULL`)).toBe(true);
  expect(sources.filter((name) => numbered.test(readFileSync(join(root, name), 'utf8')))).toEqual([]);
});
