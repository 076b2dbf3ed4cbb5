import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Store } from '../port.ts';
import { StoreError, storeClosed, storeFailure } from '../store-error.ts';
import { announcing } from '../watchers.ts';
import { type BlobOwners, blobFolder } from './blob-folder.ts';
import { GroupCommit } from './group-commit.ts';
import { loadSqlite } from './load-sqlite.ts';
import { sqliteEvents, sqliteJournal, type TableContext } from './logs.ts';
import { type IsLocked, lockHolder, lockLookup, namedLocks, sweepNamedLocks } from './named-locks.ts';
import { oldWriterIsAlive, withoutOldWriter } from './old-writer.ts';
import { sqliteOwners } from './owners.ts';
import { holdProcessLock, isBusy, isHeld, type ProcessLock, sweepProcessLocks } from './process-lock.ts';
import { sqliteRuns, sqliteSessions } from './records.ts';
import { migrate, ONE_WRITER_VERSION, versionOf } from './schema.ts';
import { sqliteStops } from './stops.ts';
import { machineFiles, makePrivateFile, openToSync, type StoreFiles } from './store-files.ts';
import { DATABASE_FILE, locationOf, lookAtStoreFolder, openStoreFolder } from './store-folder.ts';
import { TextTable } from './text-table.ts';

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** Look, and change nothing. Never waits for those who write. Default false. */
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
/** Milliseconds for which a write waits for another process before it lets other work continue, and is tried again. */
const WRITER_WAIT_MS = 100;
/** Milliseconds for which opening waits for processes that open the store at the same time, and for those who read. */
const OPEN_WAIT_MS = 10_000;

/**
 * A store in a folder, on SQLite. Several processes may write to it and look at it at the same time: each run and each
 * open session has one owner, and a run whose owner has ended is `interrupted`. The folder is private to its user, and
 * git ignores it. It has to be on a file system of this machine.
 *
 * @throws StoreError when the folder is not this user's own or leads elsewhere, or was written by a newer version
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
  const locks = locksOf(location);
  const own = holdProcessLock(locks);
  let database: DatabaseSync | undefined;
  try {
    makePrivateFile(join(location, DATABASE_FILE)); // SQLite gives its log the same rights
    database = openDatabase(location, { readOnly: false, timeout: WRITER_WAIT_MS });
    prepare(database, location);
    sweepProcessLocks(locks);
    return writingStore({ location, database, own, files, sync });
  } catch (error) {
    database?.close();
    own.release();
    throw error;
  }
}

/** Brings the database to this version, with others that do the same. */
function prepare(database: DatabaseSync, location: string): void {
  // Syncing is ours, off the event loop: see GroupCommit.
  whileBusy(() => database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'));
  const version = (): number => versionOf(database, location);
  withoutOldWriter(location, version, () => whileBusy(() => migrate(database, location)));
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  whileBusy(() => sweepNamedLocks(database, locksOf(location)));
}

/** Tries again while another process is in the way: where several open a store at once, SQLite does not always wait. */
function whileBusy(work: () => void): void {
  const end = performance.now() + OPEN_WAIT_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function locksOf(location: string): string {
  return join(location, 'locks');
}

interface Writing {
  readonly location: string;
  readonly database: DatabaseSync;
  readonly own: ProcessLock;
  readonly files: StoreFiles;
  readonly sync: boolean;
}

function writingStore({ location, database, own, files, sync: synced }: Writing): Store {
  const log = openToSync(join(location, `${DATABASE_FILE}-wal`));
  const sync = synced ? () => files.sync(log.handle) : () => Promise.resolve();
  const commits = new GroupCommit({ database, location, sync });
  let closing: Promise<void> | undefined;
  const context: TableContext = {
    ...tablesOf(database, false),
    write: (write, durability) => commits.add(write, durability),
    read(read) {
      if (closing !== undefined) return Promise.reject(storeClosed(location));
      const waiting = commits.commit();
      return waiting === undefined ? reading(location, read) : waiting.then(() => reading(location, read));
    },
  };
  const folder = locksOf(location);
  const locks = namedLocks(context, { folder, own });
  const { stops, watchers, close: stopLooking } = sqliteStops(context);
  async function close(): Promise<void> {
    stopLooking();
    try {
      commits.add(locks.releaseAll, 'written').catch(() => undefined); // Closing says what failed.
      await commits.close();
    } finally {
      log.close();
      database.close();
      own.release();
    }
  }
  const isAlive = (id: string): boolean => id === own.id || isHeld(folder, id);
  return {
    ...announcing(tables(context, lockLookup(database, folder)), (runId) => watchers.changed(runId)),
    location,
    stops,
    watch: (runId, onChange) => watchers.watchRun(runId, onChange),
    holder: lockHolder(context, folder),
    blobs: blobFolder({ ...blobsOf(context, location), files, writer: { id: own.id, isAlive } }),
    lock: locks.lock,
    flush: () => commits.add(() => undefined, 'synced'),
    close: () => (closing ??= close()),
  };
}

function openToRead(path: string): Store {
  const location = lookAtStoreFolder(path);
  if (location === undefined) throw noStore(path);
  const database = openDatabase(location, { readOnly: true, timeout: OPEN_WAIT_MS });
  const version = versionOf(database, location);
  if (version === 0) {
    database.close();
    throw noStore(location); // Another process is just making it.
  }
  let closed = false;
  const refused = (): Promise<never> =>
    Promise.reject(new StoreError({ message: `The store at ${location} was opened to look at it only.` }));
  const context: TableContext = {
    ...tablesOf(database, true),
    write: refused,
    read: (read) => (closed ? Promise.reject(storeClosed(location)) : reading(location, read)),
  };
  // A store of version 0.1 has one writer, and its locks are that writer's own.
  const { stops, watchers, close: stopLooking } = sqliteStops(context);
  const isOld = version === ONE_WRITER_VERSION;
  const isLocked = isOld ? () => oldWriterIsAlive(location) : lockLookup(database, locksOf(location));
  return {
    ...tables(context, isLocked),
    location,
    stops,
    watch: (runId, onChange) => watchers.watchRun(runId, onChange),
    holder: isOld ? () => Promise.resolve(undefined) : lockHolder(context, locksOf(location)),
    blobs: blobFolder({ ...blobsOf(context, location), files: machineFiles }),
    lock: refused,
    flush: () => Promise.resolve(),
    async close() {
      stopLooking();
      if (!closed) database.close();
      closed = true;
    },
  };
}

function noStore(location: string): StoreError {
  const data = { location, missing: true };
  return new StoreError({ message: `There is no store at ${location}.`, userAction: true, data });
}

function openDatabase(
  location: string,
  options: { readonly readOnly: boolean; readonly timeout: number },
): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  return new DatabaseSync(join(location, DATABASE_FILE), options);
}

function tablesOf(database: DatabaseSync, readOnly: boolean): Pick<TableContext, 'database' | 'texts' | 'owners'> {
  return { database, texts: new TextTable(database, readOnly), owners: sqliteOwners(database, readOnly) };
}

function tables(context: TableContext, isLocked: IsLocked): Pick<Store, 'runs' | 'events' | 'journal' | 'sessions'> {
  return {
    runs: sqliteRuns(context, (runId) => isLocked(`run ${runId}`)),
    events: sqliteEvents(context),
    journal: sqliteJournal(context),
    sessions: sqliteSessions(context),
  };
}

function blobsOf(context: TableContext, location: string): { readonly folder: string; readonly owners: BlobOwners } {
  return { folder: join(location, 'blobs'), owners: blobOwners(context) };
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
    async removeFree(blob, remove) {
      let failure: unknown;
      await write(() => {
        if (claimed.get(blob) !== undefined) return;
        try {
          remove();
        } catch (error) {
          failure = error; // That a file cannot be removed does not undo the claims.
        }
      }, 'written');
      if (failure !== undefined) throw failure;
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
