import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../store-error.ts';

/** `Fthm`: distinguishes a Fathom store from any other SQLite file. */
const APPLICATION_ID = 0x4674_686d;

/**
 * The migrations from version n to n + 1. Released ones never change; a store of any released version opens.
 *
 * Rows of logs name their run by a number and are only ever appended, so that a write touches few pages. `body` columns
 * hold JSON in which long texts are replaced by references into `texts` (see text-table.ts).
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE owners (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, trace TEXT) STRICT;
  CREATE TABLE runs (
    id TEXT PRIMARY KEY, parent TEXT, trace TEXT NOT NULL, session TEXT, status TEXT NOT NULL, created TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_time ON runs (created);
  CREATE INDEX runs_by_trace ON runs (trace);
  CREATE TABLE events (
    n INTEGER PRIMARY KEY, owner INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, identity TEXT,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_run ON events (owner, seq);
  CREATE TABLE journal (
    n INTEGER PRIMARY KEY, owner INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX journal_by_owner ON journal (owner);
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, created TEXT NOT NULL, expires TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE texts (n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
  CREATE TABLE blob_owners (blob TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (blob, owner)) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_by_owner ON blob_owners (owner);
  `,
  'CREATE TABLE locks (name TEXT PRIMARY KEY, owner TEXT NOT NULL, holder TEXT NOT NULL) STRICT, WITHOUT ROWID;',
  'CREATE TABLE stop_requests (run TEXT PRIMARY KEY, action TEXT NOT NULL, reason TEXT NOT NULL) STRICT, WITHOUT ROWID;',
];

/** The version before several processes could write to a store. */
export const ONE_WRITER_VERSION = 1;

/** The version this code writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/** Brings a store to this version. @throws StoreError for a file that is not ours, or newer than this version */
export function migrate(database: DatabaseSync, location: string): void {
  if (versionOf(database, location) === SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have brought it here in between.
    const version = versionOf(database, location);
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** The version a store has; 0 for an empty one. @throws StoreError as {@link migrate} */
export function versionOf(database: DatabaseSync, location: string): number {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0)) {
    throw new StoreError({ message: `${location} holds a database that is not a Fathom store.`, userAction: true });
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreError({
      message:
        `The store at ${location} has version ${version}; this Fathom knows versions up to ${SCHEMA_VERSION}. ` +
        'Use the newer Fathom that wrote it, or another folder.',
      userAction: true,
      data: { version, known: SCHEMA_VERSION },
    });
  }
  return version;
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}
