import type { DatabaseSync } from 'node:sqlite';
import { lockOwner, thisProcess } from '../lock-owner.ts';
import type { LockHolder, LockResult, Store } from '../port.ts';
import type { TableContext } from './logs.ts';
import { isHeld, lockPath, type ProcessLock } from './process-lock.ts';

/** Locks by name, one owner each: rows that name the process lock of an open store. They end with it. */
export interface NamedLocks {
  readonly lock: Store['lock'];
  /** Gives up all locks of this store. */
  releaseAll(): void;
}

interface Row {
  readonly owner: string;
  readonly holder: string;
}

/** Whether a living process has the named lock. */
export type IsLocked = (name: string) => boolean;

export function lockLookup(database: DatabaseSync, folder: string): IsLocked {
  const find = database.prepare('SELECT owner FROM locks WHERE name = ?');
  return (name) => {
    const row = find.get(name);
    return row !== undefined && isHeld(folder, String(row.owner));
  };
}

/** The living process that has a named lock. A store that is only looked at may be older than the table. */
export function lockHolder({ database, read }: TableContext, folder: string): Store['holder'] {
  return (name) =>
    read((): LockHolder | undefined => {
      const row = database.prepare('SELECT owner, holder FROM locks WHERE name = ?').get(name);
      const owner = String(row?.owner);
      return row !== undefined && isHeld(folder, owner)
        ? lockOwner(String(row.holder), lockPath(folder, owner))
        : undefined;
    });
}

export function namedLocks(
  { database, write }: TableContext,
  { folder, own }: { readonly folder: string; readonly own: ProcessLock },
): NamedLocks {
  const find = database.prepare('SELECT owner, holder FROM locks WHERE name = ?');
  const put = database.prepare('INSERT OR REPLACE INTO locks (name, owner, holder) VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM locks WHERE name = ? AND owner = ?');
  const removeAll = database.prepare('DELETE FROM locks WHERE owner = ?');
  const holderOf = (name: string): Row | undefined => {
    const row = find.get(name);
    return row === undefined ? undefined : { owner: String(row.owner), holder: String(row.holder) };
  };
  function releaseOnce(name: string): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      // A store that is closed, or that failed, has given up its locks.
      write(() => void remove.run(name, own.id), 'written').catch(() => undefined);
    };
  }
  return {
    async lock(name, holder): Promise<LockResult> {
      let other: Row | undefined;
      await write(() => {
        const row = holderOf(name);
        other = row !== undefined && (row.owner === own.id || isHeld(folder, row.owner)) ? row : undefined;
        if (other === undefined) put.run(name, own.id, JSON.stringify({ words: holder, ...thisProcess() }));
      }, 'written');
      if (other === undefined) return { ok: true, lock: { release: releaseOnce(name) } };
      return { ok: false, ...lockOwner(other.holder, lockPath(folder, other.owner)) };
    },
    releaseAll: () => void removeAll.run(own.id),
  };
}

/** Removes the locks of processes that have ended. */
export function sweepNamedLocks(database: DatabaseSync, folder: string): void {
  const owners = database.prepare('SELECT DISTINCT owner FROM locks').all();
  const remove = database.prepare('DELETE FROM locks WHERE owner = ?');
  for (const owner of owners.map((row) => String(row.owner))) if (!isHeld(folder, owner)) remove.run(owner);
}
