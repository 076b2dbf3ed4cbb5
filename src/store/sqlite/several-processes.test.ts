/** Several processes in one folder: each run and session has one owner, and only what a dead one had is free. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.ts';
import { sqliteStore } from './sqlite-store.ts';

let base: string;
let folder: string;
const children = new Set<ChildProcess>();
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fathom-several-'));
  folder = join(base, 'store');
});
afterEach(async () => {
  for (const child of children) await kill(child);
  rmSync(base, { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Starts a process that opens the store; `run` has it run a piece of program with `store`, and gives what that returns. */
async function start(): Promise<{ readonly child: ChildProcess; run(program: string): Promise<unknown> }> {
  const file = join(base, `process-${children.size}-${Math.trunc(performance.now())}.mjs`);
  const module = new URL('./sqlite-store.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { sqliteStore } from ${JSON.stringify(module)};
    const store = sqliteStore(${JSON.stringify(folder)});
    const AsyncFunction = (async () => undefined).constructor;
    process.on('message', async (program) => {
      const value = await new AsyncFunction('store', program)(store).catch((error) => ({ error: String(error) }));
      process.send({ value });
    });
    process.send('open');`,
  );
  const child = fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.add(child);
  await once(child, 'message');
  return {
    child,
    async run(program) {
      child.send(program);
      const [{ value }] = (await once(child, 'message')) as [{ readonly value: unknown }];
      return value;
    },
  };
}

const record = (id: string): string =>
  JSON.stringify({
    id,
    traceId: id,
    depth: 0,
    status: 'running',
    createdAt: id,
    updatedAt: '',
    request: { contexts: [] },
  });

describe('four processes that open a store at the same moment', () => {
  it('all can, and every write of each is kept', async () => {
    const four = await Promise.all([start(), start(), start(), start()]);
    const results = await Promise.all(
      four.map(({ run }, n) =>
        run(`
          for (let k = 0; k < 200; k++) {
            const entry = { kind: 'k', key: String(k), body: { n: ${n}, text: ('shared ' + k % 7).repeat(200) } };
            await store.journal.append('j${n}', entry, k % 50 === 0 ? 'synced' : 'written');
          }
          return (await store.journal.read('j${n}')).length;`),
      ),
    );
    expect(results).toEqual([200, 200, 200, 200]);
    const store = sqliteStore(folder, { readOnly: true });
    for (const n of [0, 1, 2, 3]) {
      const entries = await store.journal.read(`j${n}`);
      expect(entries.map(({ key }) => key)).toEqual(Array.from({ length: 200 }, (_, k) => String(k)));
      expect(entries.at(-1)?.body).toEqual({ n, text: 'shared 3'.repeat(200) });
    }
    await store.close();
  });
});

describe('a lock', () => {
  it('names the process that has it, confirmed to be that one, and is free after a kill -9', async () => {
    const other = await start();
    await other.run(`return await store.lock('run a', 'the other')`);
    const store = sqliteStore(folder);
    const held = await store.lock('run a', 'this');
    expect(held).toMatchObject({ ok: false, heldBy: 'the other', process: { pid: other.child.pid, confirmed: true } });
    await kill(other.child);
    expect((await store.lock('run a', 'this')).ok).toBe(true);
    await store.close();
  });

  it('whose row names another process is not confirmed to be of that one', async () => {
    const other = await start();
    await other.run(`return await store.lock('run a', 'the other')`);
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    const set = database.prepare(`UPDATE locks SET holder = json_set(holder, '$.pid', ?)`);
    const store = sqliteStore(folder);
    const innocent = await start();
    for (const [pid, confirmed] of [
      [process.ppid, false],
      [1, false],
      [2 ** 22 + 1, false],
      [innocent.child.pid ?? 0, false],
      [other.child.pid ?? 0, true],
    ] as const) {
      set.run(pid);
      expect(await store.lock('run a', 'this')).toMatchObject({ ok: false, process: { pid, confirmed } });
    }
    database.close();
    await store.close();
  });

  it('of a store that is closed is free, and its file is gone', async () => {
    const other = await start();
    await other.run(`await store.lock('run a', 'the other'); await store.close();`);
    const store = sqliteStore(folder);
    expect(readdirSync(join(folder, 'locks'))).toHaveLength(1);
    expect((await store.lock('run a', 'this')).ok).toBe(true);
    await store.close();
    expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  });

  it('is seen by another store of the same process, which opens and closes without freeing it', async () => {
    const first = sqliteStore(folder);
    expect((await first.lock('session a', 'the first')).ok).toBe(true);
    const second = sqliteStore(folder);
    expect(await second.lock('session a', 'the second')).toMatchObject({ ok: false, process: { pid: process.pid } });
    await second.close();
    // POSIX frees the locks of a process on a file when the process closes any handle of that file.
    const other = await start();
    expect(await other.run(`return await store.lock('session a', 'the other')`)).toMatchObject({ ok: false });
    await first.close();
    expect(await other.run(`return (await store.lock('session a', 'the other')).ok`)).toBe(true);
  });

  it('is free where its file is not empty, or has no process', async () => {
    const store = sqliteStore(folder);
    const [dead, full] = ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ69G5FAW'];
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    const put = database.prepare('INSERT INTO locks (name, owner, holder) VALUES (?, ?, ?)');
    for (const owner of [dead, full, '../../x', 'x']) put.run(`run ${owner}`, owner, '{}');
    database.close();
    writeFileSync(join(folder, 'locks', `${dead}.lock`), '');
    writeFileSync(join(folder, 'locks', `${full}.lock`), 'not a database');
    for (const owner of [dead, full, '../../x', 'x']) expect((await store.lock(`run ${owner}`, 'this')).ok).toBe(true);
    await store.close();
    await sqliteStore(folder).close();
    expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  });
});

describe('a process that is killed', () => {
  it('leaves its own runs interrupted, and those of living processes running', async () => {
    const [dies, lives] = await Promise.all([start(), start()]);
    for (const [each, id] of [
      [dies, 'a'],
      [lives, 'b'],
    ] as const) {
      await each.run(`await store.lock('run ${id}', 'it'); await store.runs.put(${record(id)});`);
    }
    const looking = sqliteStore(folder, { readOnly: true });
    const statuses = async (): Promise<string> => (await looking.runs.list()).map(({ status }) => status).join(' ');
    expect(await statuses()).toBe('running running');
    await kill(dies.child);
    expect(await statuses()).toBe('running interrupted');
    // Opening and closing a store, which sweeps, changes nothing of that.
    await sqliteStore(folder).close();
    expect(await statuses()).toBe('running interrupted');
    expect(await lives.run(`return (await store.runs.get('b')).status`)).toBe('running');
    await looking.close();
  });

  it('leaves what it was writing to be swept; files a living process is writing stay', async () => {
    const aside = join(folder, 'blobs', 'tmp');
    const ids = (): readonly string[] => readdirSync(join(folder, 'locks')).map((name) => name.slice(0, 26));
    const lives = await start();
    const [living = ''] = ids();
    const dies = await start();
    const dying = ids().find((id) => id !== living) ?? '';
    await lives.run(`await store.blobs.put('x', 'r')`);
    for (const id of [living, dying]) writeFileSync(join(aside, `${id}.01ARZ3NDEKTSV4RRFFQ69G5FAV`), 'part');
    await sqliteStore(folder).close();
    expect(readdirSync(aside)).toHaveLength(2);
    await kill(dies.child);
    await sqliteStore(folder).close();
    expect(readdirSync(aside)).toEqual([`${living}.01ARZ3NDEKTSV4RRFFQ69G5FAV`]);
  });
});

describe('a value', () => {
  it('that one process gives up while another claims it is there for the other', async () => {
    const [gives, takes] = await Promise.all([start(), start()]);
    const rounds = 60;
    const [, lost] = await Promise.all([
      gives.run(
        `for (let n = 0; n < ${rounds}; n++) { await store.blobs.put('v', 'a'); await store.blobs.release('a'); }`,
      ),
      takes.run(`
        let lost = 0;
        for (let n = 0; n < ${rounds}; n++) {
          const ref = await store.blobs.put('v', 'b');
          await store.blobs.text(ref).catch(() => lost++);
          await store.blobs.release('b');
        }
        return lost;`),
    ]);
    expect(lost).toBe(0);
  });
});

describe('a write while another process is in the middle of one', () => {
  it('waits without holding up the process, and reads see it once it is there', async () => {
    const store = sqliteStore(folder);
    const other = new DatabaseSync(join(folder, 'store.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const written = store.journal.append('j', { kind: 'k', key: 'k', body: 1 }, 'written');
    const read = store.journal.read('j');
    let turns = 0;
    while (turns < 10) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      turns++;
    }
    // Who only looks does not wait.
    const looking = sqliteStore(folder, { readOnly: true });
    expect(await looking.journal.read('j')).toEqual([]);
    await looking.close();
    other.exec('COMMIT');
    other.close();
    await written;
    expect(await read).toHaveLength(1);
    await store.close();
  });

  it('is made when the process ends meanwhile', async () => {
    sqliteStore(folder);
    const database = new DatabaseSync(join(folder, 'store.sqlite'), { timeout: 10 });
    const other = new DatabaseSync(join(folder, 'store.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const commits = new GroupCommit({ database, location: folder, sync: () => Promise.resolve() });
    const written = commits.add(
      () => database.exec(`INSERT INTO texts (hash, body) VALUES (x'00', 'kept')`),
      'written',
    );
    expect(commits.commit()).toBeInstanceOf(Promise);
    other.exec('COMMIT');
    commits.commitOnExit();
    await written;
    expect(other.prepare('SELECT body FROM texts').get()).toEqual({ body: 'kept' });
    other.close();
    database.close();
  });
});

describe('a store of version 0.1', () => {
  /** Makes the store what version 0.1 left; `writer.lock` is held by a process of that version while the handle is open. */
  async function oldStore(): Promise<DatabaseSync> {
    await sqliteStore(folder).close();
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec('DROP TABLE locks; DROP TABLE stop_requests; PRAGMA user_version = 1');
    const row = `INSERT INTO runs (id, trace, status, created, body) VALUES ('r', 'r', 'running', '', ?)`;
    database.prepare(row).run(record('r'));
    database.close();
    writeFileSync(join(folder, 'writer.json'), '{}');
    const lock = new DatabaseSync(join(folder, 'writer.lock'));
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  }

  it('is looked at as it is, refused while its one writer has it, and then brought to this version', async () => {
    const lock = await oldStore();
    const status = async (): Promise<string | undefined> => {
      const looking = sqliteStore(folder, { readOnly: true });
      const run = await looking.runs.get('r');
      await looking.close();
      return run?.status;
    };
    expect(await status()).toBe('running');
    expect(() => sqliteStore(folder)).toThrow('in use by a process of an older version');
    lock.close();
    expect(await status()).toBe('interrupted');
    await sqliteStore(folder).close();
    expect(existsSync(join(folder, 'writer.lock')) || existsSync(join(folder, 'writer.json'))).toBe(false);
    expect(await status()).toBe('interrupted');
  });
});
