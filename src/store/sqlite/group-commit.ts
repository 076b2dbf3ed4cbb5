import type { DatabaseSync } from 'node:sqlite';
import type { Durability } from '../port.ts';
import { storeClosed, storeFailure } from '../store-error.ts';

export interface GroupCommitOptions {
  readonly database: DatabaseSync;
  readonly location: string;
  /** Resolves when everything committed before the call is on the medium. */
  readonly sync: () => Promise<void>;
}

/** Writes that share one transaction. */
interface Group {
  readonly writes: (() => void)[];
  readonly written: PromiseWithResolvers<void>;
  readonly synced: PromiseWithResolvers<void>;
  wantsSync: boolean;
}

/**
 * Writes in groups: what is handed over in one round of the event loop shares a transaction, and what is committed while
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
  #unsynced: Group[] = [];
  #syncing = false;
  #failure: unknown;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    commitOnExit.add(this);
  }

  /** Hands over a write. It runs later, inside a transaction, after all writes handed over before. */
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

  /** Commits what was handed over so far, now. */
  commit(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const group = this.#group;
    if (group.writes.length === 0 || this.#failure !== undefined) return;
    this.#group = newGroup();
    try {
      this.#transact(group.writes);
    } catch (error) {
      this.#fail(error, [group]);
      return;
    }
    group.written.resolve();
    if (!group.wantsSync) return;
    this.#unsynced.push(group);
    void this.#syncAll();
  }

  /** Commits and syncs what is left. @throws StoreError when that fails; a failure told before is not told again */
  async close(): Promise<void> {
    try {
      if (this.#failure === undefined) await this.add(() => undefined, 'synced');
    } finally {
      this.#closed = true;
      commitOnExit.delete(this);
    }
  }

  #transact(writes: readonly (() => void)[]): void {
    const { database } = this.#options;
    database.exec('BEGIN IMMEDIATE');
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
        // After a failed sync nobody knows what is on the medium: a second one may succeed without having written it.
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
      for (const each of commitOnExit) each.commit();
    });
  }
  const group = {
    writes: [],
    written: Promise.withResolvers<void>(),
    synced: Promise.withResolvers<void>(),
    wantsSync: false,
  };
  // Whoever waits hears of a failure; that nobody may be waiting is no accident.
  group.written.promise.catch(ignore);
  group.synced.promise.catch(ignore);
  return group;
}

function ignore(): void {}
