import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checkFile, checkFolder, type PathUse, refused } from '../private-files.ts';
import { StoreError } from '../store-error.ts';

export const DATABASE_FILE = 'store.sqlite';
const JOURNAL_FILE = `${DATABASE_FILE}-journal`;
const FILES = [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`, JOURNAL_FILE];
/** Of version 0.1, which named its one writer in them. */
const OLD_FILES = ['writer.lock', 'writer.json'];
const FOLDERS = ['blobs', 'stdin', 'locks'];
const IGNORE_FILE = '.gitignore';
const OWN_NAMES: ReadonlySet<string> = new Set([...FILES, ...OLD_FILES, ...FOLDERS, IGNORE_FILE]);

/** The folder's path. @throws StoreError for an empty one: it would be the working directory, which is not a store */
export function locationOf(folder: unknown): string {
  if (typeof folder === 'string' && folder !== '') return resolve(folder);
  throw new StoreError({ message: 'A store needs the path of a folder, for example ".fathom".', userAction: true });
}

/**
 * Makes a store's folder, or checks the one that is there with everything in it that a store uses. A link that the caller
 * named is followed, and no other.
 *
 * @returns its real path
 * @throws StoreError when it is not this user's own, and when a link, a hard link or a foreign file is in it
 */
export function openStoreFolder(path: string): string {
  makeFolder(path);
  const folder = realpathSync(path);
  const names = readdirSync(folder);
  if (names.every((name) => OWN_NAMES.has(name))) checkFolder(folder, 'write');
  else checkShared(folder);
  checkContent(folder, names, 'write');
  try {
    writeFileSync(join(folder, IGNORE_FILE), '*\n', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'EEXIST') throw error;
  }
  return folder;
}

/** Checks a store's folder without changing it. @returns its real path; undefined when it holds no store */
export function lookAtStoreFolder(path: string): string | undefined {
  if (!existsSync(join(path, DATABASE_FILE))) return undefined;
  const folder = realpathSync(path);
  checkFolder(folder, 'look');
  checkContent(folder, readdirSync(folder), 'look');
  return folder;
}

/** A folder that holds other things as well keeps its mode: other programs may rely on it. */
function checkShared(folder: string): void {
  checkFolder(folder, 'look');
  const { mode } = lstatSync(folder);
  if (process.platform === 'win32' || (mode & 0o022) === 0) return;
  throw refused(
    folder,
    'mode',
    'holds other files and can be written by others, so that they could replace a store in it',
  );
}

function checkContent(folder: string, names: readonly string[], use: PathUse): void {
  for (const name of names) {
    const path = join(folder, name);
    if (FOLDERS.includes(name)) checkFolder(path, use);
    else if (FILES.includes(name) || OLD_FILES.includes(name)) checkFile(path, use);
    else if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw refused(path, 'link', 'is a link, and a store follows no links');
    }
  }
  if (names.includes(JOURNAL_FILE)) checkJournal(join(folder, JOURNAL_FILE));
}

/** The text SQLite writes at the end of a journal that names another one, which it deletes afterwards. */
const NAMES_ANOTHER = Buffer.from('d9d505f920a163d7', 'hex');

/** A journal left by a crash is SQLite's to undo; one that names a file elsewhere would make it delete that file. */
function checkJournal(path: string): void {
  const { size } = statSync(path);
  const end = Buffer.alloc(NAMES_ANOTHER.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, end, { position: Math.max(0, size - end.length) });
  } finally {
    closeSync(file);
  }
  if (size > 512 && end.equals(NAMES_ANOTHER))
    throw refused(path, 'journal', 'names another file, which would be deleted');
}

/** Node's own recursive `mkdir` never returns where a file system answers ENOENT to any new folder, as /proc does. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolder(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}
