/** A store's folder that another person made: nothing outside it is written, followed or deleted. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqliteStore } from './sqlite-store.ts';

const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const noRoot = isRoot ? '' : ' (skipped: only root can give a file to another user)';

let base: string;
let folder: string;
let victim: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fathom-hostile-'));
  folder = join(base, 'store');
  victim = join(base, 'victim');
  mkdirSync(join(victim, 'tmp', 'precious'), { recursive: true });
  writeFileSync(join(victim, 'file'), 'precious');
  writeFileSync(join(victim, 'tmp', ULID), 'precious');
});
afterEach(() => rmSync(base, { recursive: true }));

const untouched = (): void => {
  expect(readdirSync(victim).sort()).toEqual(['file', 'tmp']);
  expect(readdirSync(join(victim, 'tmp')).sort()).toEqual([ULID, 'precious']);
  expect(readFileSync(join(victim, 'file'), 'utf8')).toBe('precious');
  expect(readFileSync(join(victim, 'tmp', ULID), 'utf8')).toBe('precious');
};

/** A store that was used once, so that all of its files and folders are there. */
async function usedStore(): Promise<string> {
  const store = sqliteStore(folder);
  const { id } = await store.blobs.put('value', 'r');
  await store.close();
  return id;
}

const refusedFor = (refusal: string): object =>
  expect.objectContaining({
    code: 'store-failure',
    userAction: true,
    data: expect.objectContaining({ refused: refusal }),
  });

describe('a link in the folder', () => {
  const NAMES = ['blobs', 'stdin', 'locks', 'writer.lock', 'writer.json', 'other'];
  const FILES = ['store.sqlite', 'store.sqlite-wal', 'store.sqlite-shm', 'store.sqlite-journal', '.gitignore'];
  it.each([...NAMES, ...FILES])('named %s is refused, whatever it leads to', (name) => {
    mkdirSync(folder);
    for (const to of [victim, join(victim, 'file'), '../victim', join(base, 'nowhere')]) {
      symlinkSync(to, join(folder, name));
      expect(() => sqliteStore(folder)).toThrow(refusedFor('link'));
      rmSync(join(folder, name));
    }
    untouched();
    expect(existsSync(join(base, 'nowhere'))).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('below it is refused when it is reached: the folder of a value, and the value', async () => {
    const id = await usedStore();
    const inside = join(folder, 'blobs', id.slice(0, 2));
    const ref = { id, bytes: 5, content: 'utf-8' } as const;
    renameSync(inside, join(victim, 'values'));
    symlinkSync(join(victim, 'values'), inside);
    const store = sqliteStore(folder);
    for (const use of [
      () => store.blobs.text(ref),
      () => store.blobs.put('value', 'r'),
      () => store.blobs.release('r'),
    ]) {
      await expect(use()).rejects.toThrow(refusedFor('link'));
    }
    await store.close();
    expect(readdirSync(join(victim, 'values'))).toEqual([id]);
    // The control: with a folder in place of the link, the last owner's release deletes the value.
    rmSync(inside);
    renameSync(join(victim, 'values'), inside);
    const control = sqliteStore(folder);
    await control.blobs.put('value', 'q');
    await control.blobs.release('q');
    await control.close();
    expect(readdirSync(inside)).toEqual([]);
  });

  it('blobs/tmp is refused; a folder of that name is swept of the store’s own files, by name', async () => {
    mkdirSync(join(folder, 'blobs'), { recursive: true });
    symlinkSync(join(victim, 'tmp'), join(folder, 'blobs', 'tmp'));
    expect(() => sqliteStore(folder)).toThrow(refusedFor('link'));
    untouched();
    rmSync(join(folder, 'blobs', 'tmp'));
    const own = join(folder, 'blobs', 'tmp');
    mkdirSync(join(own, 'folder', 'below'), { recursive: true });
    mkdirSync(join(own, ULID.replace('V', 'W')));
    for (const name of [ULID, 'file of the user']) writeFileSync(join(own, name), '');
    await sqliteStore(folder).close();
    expect(readdirSync(own).sort()).toEqual([ULID.replace('V', 'W'), 'file of the user', 'folder']);
  });

  it('is followed where the caller names it as the store', async () => {
    const real = join(base, 'real');
    mkdirSync(real);
    symlinkSync(real, folder);
    const store = sqliteStore(folder);
    await store.close();
    expect(existsSync(join(real, 'store.sqlite'))).toBe(true);
  });
});

describe('a hard link in the folder', () => {
  it.each(['store.sqlite', 'store.sqlite-wal', 'store.sqlite-shm', 'writer.json', 'writer.lock'])(
    'named %s is refused',
    (name) => {
      mkdirSync(folder);
      linkSync(join(victim, 'file'), join(folder, name));
      expect(() => sqliteStore(folder)).toThrow(refusedFor('hard-links'));
      untouched();
    },
  );

  it('named .gitignore is not written through', async () => {
    mkdirSync(folder);
    linkSync(join(victim, 'file'), join(folder, '.gitignore'));
    await sqliteStore(folder).close();
    untouched();
  });

  it('of a value is refused', async () => {
    const id = await usedStore();
    linkSync(join(folder, 'blobs', id.slice(0, 2), id), join(base, 'other-name'));
    const store = sqliteStore(folder);
    await expect(store.blobs.text({ id, bytes: 5, content: 'utf-8' })).rejects.toThrow(refusedFor('hard-links'));
    await store.close();
  });
});

describe('a database of another person', () => {
  it.each(['../victim/file', '../../victim/file', '/etc/passwd', 'x', ''])(
    'that names a value %s neither reads nor deletes it',
    async (name) => {
      await usedStore();
      const database = new DatabaseSync(join(folder, 'store.sqlite'));
      database.prepare('INSERT INTO blob_owners (blob, owner) VALUES (?, ?)').run(name, 'r');
      database.close();
      const store = sqliteStore(folder);
      const ref = { id: name, bytes: 8, content: 'bytes' } as const;
      await expect(store.blobs.bytes(ref)).rejects.toThrow('does not name a value');
      await expect(store.blobs.copyTo(ref, join(base, 'copy'))).rejects.toThrow('does not name a value');
      await store.blobs.release('r');
      await store.close();
      untouched();
    },
  );

  it('whose journal names a file elsewhere is refused: SQLite would delete that file', async () => {
    await usedStore();
    const journal = join(folder, 'store.sqlite-journal');
    const pages = statSync(join(folder, 'store.sqlite')).size / 4096;
    writeFileSync(journal, journalNaming(join(victim, 'file'), pages));
    for (const readOnly of [true, false]) {
      expect(() => sqliteStore(folder, { readOnly })).toThrow(refusedFor('journal'));
    }
    untouched();
    // The control: a journal that names nothing is SQLite's to undo.
    writeFileSync(journal, journalNaming(join(victim, 'file'), pages).subarray(0, 512));
    await sqliteStore(folder).close();
    untouched();
  });

  it.each(['store.sqlite', 'blobs', 'stdin'])('is refused where %s is of another kind', (name) => {
    mkdirSync(folder);
    if (name === 'store.sqlite') mkdirSync(join(folder, name));
    else writeFileSync(join(folder, name), '');
    expect(() => sqliteStore(folder)).toThrow(refusedFor('kind'));
  });

  it.runIf(process.platform === 'linux')('is refused where it is a pipe, without waiting for a writer', () => {
    mkdirSync(folder);
    expect(spawnSync('mkfifo', [join(folder, 'store.sqlite')]).status).toBe(0);
    expect(() => sqliteStore(folder)).toThrow(refusedFor('kind'));
  });
});

describe('modes', () => {
  it('of our own folder and files are repaired', async () => {
    await usedStore();
    chmodSync(folder, 0o777);
    chmodSync(join(folder, 'blobs'), 0o755);
    chmodSync(join(folder, 'store.sqlite'), 0o666);
    // Who only looks changes nothing.
    await sqliteStore(folder, { readOnly: true }).close();
    expect(statSync(folder).mode & 0o777).toBe(0o777);
    await sqliteStore(folder).close();
    for (const path of [folder, join(folder, 'blobs')]) expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'store.sqlite')).mode & 0o777).toBe(0o600);
  });

  it('of a folder that holds other files stay; it is refused when others may write there', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'report.txt'), '');
    chmodSync(folder, 0o755);
    await sqliteStore(folder).close();
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    chmodSync(folder, 0o1777);
    expect(() => sqliteStore(folder)).toThrow(refusedFor('mode'));
    expect(statSync(folder).mode & 0o7777).toBe(0o1777);
  });
});

describe(`another user${noRoot}`, () => {
  it.runIf(isRoot)('who made the folder or a file in it: refused, for looking as well', async () => {
    await usedStore();
    for (const path of [folder, join(folder, 'store.sqlite'), join(folder, 'blobs')]) {
      chownSync(path, NOBODY, NOBODY);
      for (const readOnly of [true, false]) {
        expect(() => sqliteStore(folder, { readOnly })).toThrow(refusedFor('owner'));
      }
      chownSync(path, 0, 0);
    }
    await sqliteStore(folder).close();
  });

  it.runIf(isRoot)('who made a value: refused', async () => {
    const id = await usedStore();
    chownSync(join(folder, 'blobs', id.slice(0, 2), id), NOBODY, NOBODY);
    const store = sqliteStore(folder);
    await expect(store.blobs.text({ id, bytes: 5, content: 'utf-8' })).rejects.toThrow(refusedFor('owner'));
    await store.close();
  });

  it.runIf(isRoot)('finds a store of root refused, and can use one of its own', () => {
    chmodSync(base, 0o755);
    const own = join(base, 'own');
    mkdirSync(own);
    chownSync(own, NOBODY, NOBODY);
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(asNobody(own)).toBe('open');
    expect(asNobody(folder)).toBe('owner');
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** Opens a store in a process of an unprivileged user; `open`, or why it was refused. */
function asNobody(path: string): string {
  const module = new URL('./sqlite-store.ts', import.meta.url).href;
  const code = `import { sqliteStore } from ${JSON.stringify(module)};
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    try { await sqliteStore(${JSON.stringify(path)}).close(); console.log('open'); }
    catch (error) { console.log(error.data?.refused ?? String(error)); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  return stdout.trim() || stderr;
}

/** A journal that SQLite plays back and then deletes the file it names (as SQLite 3.40 does). */
function journalNaming(path: string, pages: number): Buffer {
  const magic = Buffer.from('d9d505f920a163d7', 'hex');
  const head = Buffer.alloc(512);
  magic.copy(head);
  for (const [at, value] of [0, 1, pages, 512, 4096].entries()) head.writeUInt32BE(value, 8 + 4 * at);
  const name = Buffer.from(path);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(name.length);
  numbers.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    4,
  );
  const page = Buffer.alloc(4);
  page.writeUInt32BE(2 ** 30 / 4096 + 1);
  return Buffer.concat([head, page, name, numbers, magic]);
}
