/**
 * The store port: where runs, events, journals, sessions and large values are kept. Three stores implement it: in
 * memory, on SQLite, and in Postgres. All pass `conformance.testing.ts`.
 *
 * Writes are submitted at once and take effect in the order in which they were submitted, across everything the store
 * keeps: after a crash the store holds a prefix of them. Reads see every write submitted before.
 *
 * @module
 */
import type { Durability, EventLog, Stored } from '../event/event-log.ts';
import type { JsonValue } from '../repl/port.ts';
import type { BlobStore } from './blob-store.ts';
import type { LockOwner } from './lock-owner.ts';
import type { RunFilter, RunRecord } from './run-record.ts';
import type { SessionFilter, SessionRecord } from './session-record.ts';
import type { StopTable } from './stop-table.ts';

export type { Durability, EventLog, EventTail, Stored } from '../event/event-log.ts';
export type { StopRequest, StopTable } from './stop-table.ts';

/** A store. Several processes may use it at the same time. */
export interface Store {
  /** Where it is, for messages: `memory`, the folder, or the server without its password. */
  readonly location: string;
  readonly runs: RunTable;
  readonly events: EventLog;
  readonly journal: JournalLog;
  readonly sessions: SessionTable;
  readonly blobs: BlobStore;
  readonly stops: StopTable;
  /**
   * Takes a named lock, held until it is released or this process ends. `holder` says who has it, in words. A run that is
   * worked on has the lock `run <id>`, an open session `session <id>`: one owner each.
   */
  lock(name: string, holder: string): Promise<LockResult>;
  /**
   * Milliseconds for which this process surely owns the runs it has locked, in a store whose locks end with a lease: a number where
   * that is known by now, else a promise. Absent: as long as the process lives.
   *
   * @throws RlmError `store-failure` once another process may have taken them over
   */
  ownedForMs?(): number | Promise<number>;
  /** Who has a named lock; undefined: no living process. */
  holder(name: string): Promise<LockHolder | undefined>;
  /**
   * Calls `onChange` after events or the record of a run were written, by any process. It is a hint: it may come seconds late,
   * twice, or without a change. The returned function ends the watch.
   */
  watch(runId: string, onChange: () => void): () => void;
  /** Resolves when everything submitted so far is synced. @throws RlmError `store-failure` */
  flush(): Promise<void>;
  /** Flushes and frees the store for others. Later calls are refused with `store-failure`. */
  close(): Promise<void>;
}

export type LockResult = { readonly ok: true; readonly lock: StoreLock } | ({ readonly ok: false } & LockHolder);

/** Who has a lock. */
export interface LockHolder {
  /** In words. */
  readonly heldBy: string;
  /** The process, in a store that several processes share. */
  readonly process?: LockOwner;
}

export interface StoreLock {
  release(): void;
}

export interface RunTable {
  /**
   * Adds a run or replaces its record. A record that says `running` is read as `interrupted` while no living process has the
   * lock of the run. Written; a later synced entry (its first result, its end) syncs it too.
   */
  put(record: RunRecord): Stored;
  get(runId: string): Promise<RunRecord | undefined>;
  /** Newest first. */
  list(filter?: RunFilter): Promise<readonly RunRecord[]>;
}

/** Append-only logs, one for each run tree or session; only the journal knows the meaning of entries. */
export interface JournalLog {
  append(journalId: string, entry: JournalEntry, durability: Durability): Stored;
  /** All entries in the order in which they were submitted. */
  read(journalId: string): Promise<readonly JournalEntry[]>;
}

export interface JournalEntry {
  readonly kind: string;
  readonly key: string;
  readonly body: JsonValue;
}

export interface SessionTable {
  /** Adds a session or replaces its record. Synced. */
  put(record: SessionRecord): Stored;
  get(id: string): Promise<SessionRecord | undefined>;
  /** Newest first. */
  list(filter?: SessionFilter): Promise<readonly SessionRecord[]>;
  delete(id: string): Stored;
}
