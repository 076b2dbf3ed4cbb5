import { close, closeSync, createReadStream, fdatasync, open, openSync } from 'node:fs';
import { open as openFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { removeFile } from '../private-files.ts';

const openNumber = promisify(open);
const closeNumber = promisify(close);
const syncNumber = promisify(fdatasync);

/** The file operations on which a store's promises rest, so that tests can make each of them fail. */
export interface StoreFiles {
  /** Resolves when what was written to an open file is on the medium. */
  sync(handle: number): Promise<void>;
  /** Writes a new file and syncs it. */
  write(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** Moves a file into its place and syncs the folder. */
  rename(from: string, to: string): Promise<void>;
  /** At once, so that it is part of a transaction. */
  remove(path: string): void;
}

/** The machine's file system. */
export const machineFiles: StoreFiles = {
  sync: (handle) => syncNumber(handle),
  async write(path, chunks) {
    const file = await openFile(path, 'wx', 0o600);
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  async rename(from, to) {
    await rename(from, to);
    await syncFolder(dirname(to));
  },
  remove: removeFile,
};

/** Syncs a folder, so that the files made in it are found again; where folders cannot be opened, that is as it is. */
export async function syncFolder(path: string): Promise<void> {
  let handle: number;
  try {
    handle = await openNumber(path, 'r');
  } catch {
    return; // Windows opens no folders.
  }
  try {
    await syncNumber(handle);
  } finally {
    await closeNumber(handle);
  }
}

/**
 * Makes a file that only this user may read, where there is none: SQLite's own would be readable by all. One that is there
 * is not opened: closing it would free the locks that this process has on it.
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'EEXIST') throw error;
  }
}

/** Opens a file that another writer fills, to sync it. */
export function openToSync(path: string): { readonly handle: number; close(): void } {
  const handle = openSync(path, 'r+');
  return { handle, close: () => closeSync(handle) };
}

/** A file in pieces of 1 MiB. */
export function readPieces(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}
