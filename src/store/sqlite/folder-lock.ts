import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StoreError } from '../store-error.ts';
import { loadSqlite } from './load-sqlite.ts';
import { makePrivateFile } from './store-files.ts';

/** A file lock that the kernel frees when its process dies, however it dies. */
const LOCK_FILE = 'writer.lock';
/** Says in words who has it. */
const HOLDER_FILE = 'writer.json';

/** Milliseconds to wait for a writer that is just closing. */
const PATIENCE_MS = 250;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/** Makes this process the one writer of a folder; the returned function gives that up. @throws StoreError naming who is */
export function lockFolder(folder: string): () => void {
  const { DatabaseSync } = loadSqlite();
  // Node has no flock; an exclusive transaction on an empty database holds the same kind of kernel lock everywhere.
  makePrivateFile(join(folder, LOCK_FILE));
  const lock = new DatabaseSync(join(folder, LOCK_FILE), { timeout: PATIENCE_MS });
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (isBusy(error)) throw lockedBy(folder, readHolder(folder), error);
    throw error;
  }
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  writeFileSync(join(folder, HOLDER_FILE), `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  return () => lock.close();
}

/** Whether a process writes to the folder now. For readers, who cannot ask the kernel without disturbing. */
export function writerIsAlive(folder: string): boolean {
  const holder = readHolder(folder);
  return holder !== undefined && (holder.host !== hostname() || isAlive(holder.pid));
}

function lockedBy(folder: string, holder: Holder | undefined, cause: unknown): StoreError {
  const known = holder !== undefined && (holder.host !== hostname() || isAlive(holder.pid));
  const own = known && holder.host === hostname() && holder.pid === process.pid;
  const who = known ? `process ${holder.pid} on ${holder.host} since ${holder.since}` : 'another process';
  return new StoreError({
    message: own
      ? `The store at ${folder} is already open in this process: use that store object for both, or close it first.`
      : `The store at ${folder} is in use by ${who}. One process writes to a store at a time: end that one, or use another folder.`,
    cause,
    userAction: true,
    data: { folder, ...(known ? { holder } : {}) },
  });
}

function readHolder(folder: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, HOLDER_FILE), 'utf8')) as Holder;
  } catch {
    return undefined; // Not written yet, or just being written.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown }).errcode === 5;
}
