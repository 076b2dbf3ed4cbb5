import { join } from 'node:path';
import { removeFile } from '../private-files.ts';
import { StoreError } from '../store-error.ts';
import { isFileHeld, tryToHold } from './process-lock.ts';
import { ONE_WRITER_VERSION } from './schema.ts';

/** Version 0.1 locked a store as a whole. */
const LOCK_FILE = 'writer.lock';
const HOLDER_FILE = 'writer.json';
/** Each waits a quarter of a second. */
const TRIES = 4;

/** Whether a process of version 0.1 writes to the store. */
export function oldWriterIsAlive(location: string): boolean {
  return isFileHeld(join(location, LOCK_FILE), () => undefined);
}

/**
 * Brings a store of version 0.1 to this version while no process of version 0.1 has it, and none can get it: it would
 * take the runs of others for interrupted ones. Later ones refuse the newer version by themselves.
 *
 * @throws StoreError while a process of version 0.1 has the store
 */
export function withoutOldWriter(location: string, version: () => number, migrate: () => void): void {
  for (let tries = 0; version() === ONE_WRITER_VERSION; tries++) {
    const lock = tryToHold(join(location, LOCK_FILE));
    // Another process may be just doing the same.
    if (lock === undefined && tries >= TRIES) throw inUse(location);
    if (lock === undefined) continue;
    try {
      migrate();
    } finally {
      lock.close();
    }
    for (const name of [LOCK_FILE, HOLDER_FILE]) removeFile(join(location, name));
    return;
  }
  migrate();
}

function inUse(location: string): StoreError {
  return new StoreError({
    message: `The store at ${location} is in use by a process of an older version of Fathom, which shares it with no other: wait for it or end it, or use another folder.`,
    userAction: true,
    data: { location },
  });
}
