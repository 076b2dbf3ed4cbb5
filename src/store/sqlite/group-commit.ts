import type { DatabaseSync } from 'node:sqlite';
import type { Durability } from '../port.ts';
import { StoreError, storeClosed, storeFailure } from '../store-error.ts';
import { isBusy } from './process-lock.ts';

export interface GroupCommitOptions {
  readonly database: DatabaseSync;
  readonly location: string;
  /** Resolves when everything committed before the call is on the medium. */
  readonly sync: () => Promise<void>;
}

/** Milliseconds between two tries to write while another process does. */
const BUSY_RETRY_MS = 20;
/** Milliseconds after which a write fails: the other process is stopped in the middle of one. */
const BUSY_PATIENCE_MS = 60_000;
/** The same when this process is about to end. */
const EXIT_PATIENCE_MS = 5_000;

/** Writes that share one transaction. */
interface Group {
  readonly writes: (() => void)[];
  readonly written: PromiseWithResolvers<void>;
  readonly synced: PromiseWithResolvers<void>;
  wantsSync: boolean;
}

/**
 * Writes in groups: what is submitted in one round of the event loop shares a transaction, and what is committed while
 * a sync is under way shares the next one. Commits leave syncing to us (`synchronous = NORMAL`), because SQLite would
 * block the event loop for it; a write counts as synced when the write-ahead log was synced after its commit, which is
 * what `synchronous = FULL` means.
 *
 * The first failure is the last write: what came after it could otherwise be stored without it.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #group: Group = newGroup();
  #scheduled: NodeJS.Immediate | undefined;
  /** Another process writes: tried again a little later. Since when, in milliseconds. */
  #busy: { readonly since: number; readonly timer: NodeJS.Timeout } | undefined;
  #unsynced: Group[] = [];
  #syncing = false;
  #failure: unknown;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    commitOnExit.add(this);
  }

  /** Submits a write. It runs later, inside a transaction, after all writes submitted before. */
  add(write: () => void, durability: Durability): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.reject(storeClosed(this.#options.location));
    const group = this.#group;
    group.writes.push(write);
    this.#scheduled ??= setImmediate(() => this.commit());
    if (durability === 'written') return group.written.promise;
    group.wantsSync = true;
    return group.synced.promise;
  }

  /**
   * Commits what was submitted so far, now. While another process writes, that is tried again later.
   *
   * @returns undefined when it is done; otherwise a promise that resolves when it is
   */
  commit(): Promise<void> | undefined {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const group = this.#group;
    if (group.writes.length === 0 || this.#failure !== undefined) return undefined;
    try {
      if (!this.#begin()) return this.#later(group);
      this.#group = newGroup();
      this.#transact(group.writes);
    } catch (error) {
      this.#fail(error, [group]);
      return undefined;
    }
    this.#committed(group);
    return undefined;
  }

  /** Commits what is left before the process ends, waiting for others where it has to. */
  commitOnExit(): void {
    const end = performance.now() + EXIT_PATIENCE_MS;
    while (this.commit() !== undefined && performance.now() < end);
  }

  /** Commits and syncs what is left. @throws StoreError when that fails; a failure reported before is not reported again */
  async close(): Promise<void> {
    try {
      if (this.#failure === undefined) await this.add(() => undefined, 'synced');
    } finally {
      this.#closed = true;
      commitOnExit.delete(this);
    }
  }

  /** False while another process writes. Nothing has run then: writes are never run twice. */
  #begin(): boolean {
    try {
      this.#options.database.exec('BEGIN IMMEDIATE');
      clearTimeout(this.#busy?.timer);
      this.#busy = undefined;
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
  }

  #later(group: Group): Promise<void> {
    clearTimeout(this.#busy?.timer);
    const since = this.#busy?.since ?? performance.now();
    if (performance.now() - since >= BUSY_PATIENCE_MS) throw keptBusy(this.#options.location);
    this.#busy = { since, timer: setTimeout(() => void this.commit(), BUSY_RETRY_MS) };
    return group.written.promise;
  }

  #committed(group: Group): void {
    group.written.resolve();
    if (!group.wantsSync) return;
    this.#unsynced.push(group);
    void this.#syncAll();
  }

  #transact(writes: readonly (() => void)[]): void {
    const { database } = this.#options;
    try {
      for (const write of writes) write();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  async #syncAll(): Promise<void> {
    if (this.#syncing) return;
    this.#syncing = true;
    while (this.#unsynced.length > 0) {
      const groups = this.#unsynced;
      this.#unsynced = [];
      try {
        await this.#options.sync();
      } catch (error) {
        // After a failed sync the medium's content is unknown: a second sync may succeed without having written it.
        this.#fail(error, groups);
        break;
      }
      for (const group of groups) group.synced.resolve();
    }
    this.#syncing = false;
  }

  #fail(cause: unknown, groups: readonly Group[]): void {
    this.#failure = storeFailure('Writing in', this.#options.location, cause);
    for (const group of [...groups, ...this.#unsynced, this.#group]) {
      group.written.reject(this.#failure);
      group.synced.reject(this.#failure);
    }
    this.#unsynced = [];
    this.#group = newGroup();
  }
}

/** Stores that still commit what they hold when the process ends by itself or by `process.exit`. */
const commitOnExit = new Set<GroupCommit>();
let listening = false;

function newGroup(): Group {
  if (!listening) {
    listening = true;
    process.on('exit', () => {
      for (const each of commitOnExit) each.commitOnExit();
    });
  }
  const group = {
    writes: [],
    written: Promise.withResolvers<void>(),
    synced: Promise.withResolvers<void>(),
    wantsSync: false,
  };
  // Waiting callers get the failure; without one, an unhandled rejection would end the process.
  group.written.promise.catch(ignore);
  group.synced.promise.catch(ignore);
  return group;
}

function keptBusy(location: string): StoreError {
  return new StoreError({
    message: `Another process has kept the store at ${location} busy for ${BUSY_PATIENCE_MS / 1_000} s: it may be stopped in the middle of a write. Let it continue, or end it.`,
    userAction: true,
    data: { location },
  });
}

function ignore(): void {}
