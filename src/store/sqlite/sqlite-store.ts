import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Store } from '../port.ts';
import { StoreError, storeClosed, storeFailure } from '../store-error.ts';
import { type BlobOwners, blobFolder } from './blob-folder.ts';
import { lockFolder, writerIsAlive } from './folder-lock.ts';
import { GroupCommit } from './group-commit.ts';
import { loadSqlite } from './load-sqlite.ts';
import { sqliteEvents, sqliteJournal, type TableContext } from './logs.ts';
import { sqliteOwners } from './owners.ts';
import { sqliteRuns, sqliteSessions } from './records.ts';
import { migrate, SCHEMA_VERSION, versionOf } from './schema.ts';
import { machineFiles, makePrivateFile, openToSync, type StoreFiles } from './store-files.ts';
import { DATABASE_FILE, locationOf, lookAtStoreFolder, openStoreFolder } from './store-folder.ts';
import { TextTable } from './text-table.ts';

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** Look, and change nothing: works while another process writes. Default false. */
  readonly readOnly?: boolean;
  /**
   * Default true: results and records survive the loss of power. With false they survive the death of the process only,
   * and a step is as fast as the page cache.
   */
  readonly sync?: boolean;
  /** For tests. */
  readonly files?: StoreFiles;
}

/** Pages of write-ahead log between checkpoints, which block for two syncs: 4 MiB. */
const CHECKPOINT_PAGES = 1000;
/** Milliseconds to wait for somebody who looks at the database with other tools. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * A store in a folder, on SQLite: one process writes, others may look. It is private to its user, and told to git as
 * such.
 *
 * @throws StoreError when another process writes to it (its message names the holder), when it was written by a newer
 *   version, or when the folder cannot be used
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', store: sqliteStore('.fathom') });
 * ```
 */
export function sqliteStore(folder: string, options: SqliteStoreOptions = {}): Store {
  const location = locationOf(folder);
  try {
    return options.readOnly === true ? openToRead(location) : openToWrite(location, options);
  } catch (error) {
    throw storeFailure('Opening', location, error);
  }
}

function openToWrite(path: string, { sync = true, files = machineFiles }: SqliteStoreOptions): Store {
  const location = openStoreFolder(path);
  const unlock = lockFolder(location);
  let database: DatabaseSync | undefined;
  try {
    makePrivateFile(join(location, DATABASE_FILE)); // SQLite gives its log the same rights
    database = openDatabase(location, false);
    // Syncing is ours, off the event loop: see GroupCommit.
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
    migrate(database, location);
    database.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    // This process is the only writer: whatever runs by the record, runs no more.
    database.exec(`UPDATE runs SET status = 'interrupted' WHERE status = 'running'`);
    return writingStore({ location, database, unlock, files, sync });
  } catch (error) {
    database?.close();
    unlock();
    throw error;
  }
}

function writingStore(options: {
  readonly location: string;
  readonly database: DatabaseSync;
  readonly unlock: () => void;
  readonly files: StoreFiles;
  readonly sync: boolean;
}): Store {
  const { location, database, unlock, files } = options;
  const log = openToSync(join(location, `${DATABASE_FILE}-wal`));
  const sync = options.sync ? () => files.sync(log.handle) : () => Promise.resolve();
  const commits = new GroupCommit({ database, location, sync });
  let closing: Promise<void> | undefined;
  const context: TableContext = {
    ...tablesOf(database, false),
    write: (write, durability) => commits.add(write, durability),
    read(read) {
      if (closing !== undefined) return Promise.reject(storeClosed(location));
      commits.commit();
      return reading(location, read);
    },
  };
  async function close(): Promise<void> {
    try {
      await commits.close();
    } finally {
      log.close();
      database.close();
      unlock();
    }
  }
  return {
    ...storeOver(context, { location, files, readOnly: false }),
    flush: () => commits.add(() => undefined, 'synced'),
    close: () => (closing ??= close()),
  };
}

function openToRead(path: string): Store {
  const location = lookAtStoreFolder(path);
  if (location === undefined) throw noStore(path);
  const database = openDatabase(location, true);
  const version = versionOf(database, location);
  if (version !== SCHEMA_VERSION) {
    database.close();
    // Somebody is just making it.
    if (version === 0) throw noStore(location);
    throw new StoreError({
      message: `The store at ${location} was written by an older version: open it once to write, then look again.`,
      userAction: true,
    });
  }
  let closed = false;
  const refused = (): Promise<never> =>
    Promise.reject(new StoreError({ message: `The store at ${location} was opened to look at it only.` }));
  const context: TableContext = {
    ...tablesOf(database, true),
    write: refused,
    read: (read) => (closed ? Promise.reject(storeClosed(location)) : reading(location, read)),
  };
  return {
    ...storeOver(context, { location, files: machineFiles, readOnly: true }),
    lock: refused,
    flush: () => Promise.resolve(),
    async close() {
      if (!closed) database.close();
      closed = true;
    },
  };
}

function noStore(location: string): StoreError {
  return new StoreError({ message: `There is no store at ${location}.`, userAction: true, data: { location } });
}

function openDatabase(location: string, readOnly: boolean): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  return new DatabaseSync(join(location, DATABASE_FILE), { readOnly, timeout: BUSY_TIMEOUT_MS });
}

function tablesOf(database: DatabaseSync, readOnly: boolean): Pick<TableContext, 'database' | 'texts' | 'owners'> {
  return { database, texts: new TextTable(database, readOnly), owners: sqliteOwners(database, readOnly) };
}

function storeOver(
  context: TableContext,
  { location, files, readOnly }: { readonly location: string; readonly files: StoreFiles; readonly readOnly: boolean },
): Omit<Store, 'flush' | 'close'> {
  const locks = new Map<string, string>();
  const alive = !readOnly || writerIsAlive(location);
  return {
    location,
    runs: sqliteRuns(context, (status) => (status === 'running' && !alive ? 'interrupted' : status)),
    events: sqliteEvents(context),
    journal: sqliteJournal(context),
    sessions: sqliteSessions(context),
    blobs: blobFolder({ folder: join(location, 'blobs'), files, owners: blobOwners(context), readOnly }),
    // The folder has one writer, so that locks need to be known in this process only.
    async lock(name, holder) {
      const heldBy = locks.get(name);
      if (heldBy !== undefined) return { ok: false, heldBy };
      locks.set(name, holder);
      return { ok: true, lock: { release: () => void locks.delete(name) } };
    },
  };
}

function blobOwners({ database, write }: TableContext): BlobOwners {
  const claim = database.prepare('INSERT OR IGNORE INTO blob_owners (blob, owner) VALUES (?, ?)');
  const owned = database.prepare('SELECT blob FROM blob_owners WHERE owner = ? AND blob = coalesce(?, blob)');
  const release = database.prepare('DELETE FROM blob_owners WHERE blob = ? AND owner = ?');
  const claimed = database.prepare('SELECT 1 FROM blob_owners WHERE blob = ? LIMIT 1');
  return {
    claim: (blob, owner) => write(() => void claim.run(blob, owner), 'synced'),
    async release(owner, blob) {
      let free: string[] = [];
      await write(() => {
        const blobs = owned.all(owner, blob ?? null).map((row) => String(row.blob));
        for (const each of blobs) release.run(each, owner);
        free = blobs.filter((each) => claimed.get(each) === undefined);
      }, 'synced');
      return free;
    },
  };
}

function reading<T>(location: string, read: () => T): Promise<T> {
  try {
    return Promise.resolve(read());
  } catch (error) {
    return Promise.reject(storeFailure('Reading in', location, error));
  }
}
