import { closeSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ulid } from 'ulid';
import { checkFile, checkFolder, privateFolder, refused, removeFile } from '../private-files.ts';
import { loadSqlite } from './load-sqlite.ts';

/**
 * A file in the folder `locks` that one open store holds locked. The kernel frees the lock when the process ends, however
 * it ends: a reused process id or another pid namespace cannot pass for its owner.
 */
export interface ProcessLock {
  /** A ULID, which names the file. */
  readonly id: string;
  /** Frees the lock and removes the file. */
  release(): void;
}

const LOCK_NAME = /^([0-9A-HJKMNP-TV-Z]{26})\.lock$/;

/** Milliseconds for which a process that only looks may hold a lock file. */
const LOOK_MS = 250;

/** Locks a new file. @throws StoreError when the folder is not this user's own */
export function holdProcessLock(folder: string): ProcessLock {
  privateFolder(folder);
  for (;;) {
    const id = ulid();
    const path = lockPath(folder, id);
    closeSync(openSync(path, 'wx', 0o600));
    const lock = tryToHold(path);
    if (lock === undefined) continue;
    return {
      id,
      release() {
        // The name goes first: a file that is not there has no owner. Windows does not remove open files.
        removeUnlessOpen(path);
        lock.close();
        removeUnlessOpen(path);
      },
    };
  }
}

/** Whether a living process holds the lock. */
export function isHeld(folder: string, id: string): boolean {
  const name = `${id}.lock`;
  return LOCK_NAME.test(name) && isFileHeld(join(folder, name), () => undefined);
}

/** Removes the lock files that no living process holds. */
export function sweepProcessLocks(folder: string): void {
  if (!checkFolder(folder, 'look')) return;
  for (const name of readdirSync(folder).filter((each) => LOCK_NAME.test(each))) {
    const path = join(folder, name);
    // Removed while it is locked for looking: its process could otherwise be just about to lock it.
    if (!isFileHeld(path, () => removeUnlessOpen(path))) removeUnlessOpen(path);
  }
}

export function lockPath(folder: string, id: string): string {
  return join(folder, `${id}.lock`);
}

/** Whether a process has an exclusive lock on a file. `onFree` runs while no process can get one. */
export function isFileHeld(path: string, onFree: () => void): boolean {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  // Lock files are empty: anything else is not read as a database.
  if (facts === undefined || !facts.isFile() || facts.size > 0) return false;
  const { DatabaseSync } = loadSqlite();
  let look: DatabaseSync | undefined;
  try {
    look = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    // A shared lock: several may look at once, and none of them takes another for the owner.
    look.exec('BEGIN; SELECT 1 FROM sqlite_schema');
    onFree();
    return false;
  } catch (error) {
    // An owner that cannot be examined counts as alive, unless the file has gone.
    return isBusy(error) || lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } finally {
    look?.close();
  }
}

/** Whether another process had the database locked. */
export function isBusy(error: unknown): boolean {
  // The low byte is the kind of error; the others give details.
  return (Number((error as { errcode?: unknown }).errcode) & 0xff) === 5;
}

/** Locks a file exclusively, as long as the returned database is open; undefined when it cannot be had. */
export function tryToHold(path: string): DatabaseSync | undefined {
  const { DatabaseSync } = loadSqlite();
  if ((lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw refused(path, 'kind', 'is not empty, as a lock file is');
  }
  // Node has no flock; an exclusive transaction on an empty database holds the same kind of kernel lock everywhere.
  const lock = new DatabaseSync(path, { timeout: LOOK_MS });
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    // A process that swept meanwhile may have taken it for one of a dead process.
    if (checkFile(path, 'write')) return lock;
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
  lock.close();
  return undefined;
}

function removeUnlessOpen(path: string): void {
  try {
    removeFile(path);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code !== 'EBUSY' && code !== 'EPERM' && code !== 'EACCES') throw error;
  }
}
