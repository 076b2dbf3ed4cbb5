import type { DatabaseSync } from 'node:sqlite';
import { actionOf, type StopRequest, type StopTable } from '../stop-table.ts';
import { lookRegularly, Watchers } from '../watchers.ts';
import type { TableContext } from './logs.ts';

/** Requests to end runs, and who watches runs. */
export interface StopsAndWatchers {
  readonly stops: StopTable;
  readonly watchers: Watchers;
  /** Ends looking at what other processes write. */
  close(): void;
}

/**
 * SQLite reports no writes of other processes, but its `data_version` changes with each: one cheap look says whether there is
 * anything to read. Writes of this process are reported as they are stored.
 */
export function sqliteStops({ database, write, read }: TableContext): StopsAndWatchers {
  const version = dataVersion(database);
  let seen = version();
  const look = (): void => {
    const now = version();
    if (now === seen) return;
    seen = now;
    watchers.anyChanged();
    for (const runId of watchers.stopped) report(runId);
  };
  const regularly = lookRegularly(look);
  const watchers = new Watchers(regularly);
  // Prepared when it is needed: a store that is only looked at may be older than this table.
  const get = (runId: string): Promise<StopRequest | undefined> =>
    read(() => {
      const row = database.prepare('SELECT action, reason FROM stop_requests WHERE run = ?').get(runId);
      return row === undefined ? undefined : { action: actionOf(row.action), reason: String(row.reason) };
    });
  const report = (runId: string): void => {
    get(runId).then(
      (request) => {
        if (request !== undefined) watchers.requested(runId, request);
      },
      () => undefined, // A store that cannot be read fails the run itself.
    );
  };
  const stops: StopTable = {
    put: (runId, { action, reason }) =>
      write(() => {
        const put = database.prepare('INSERT OR REPLACE INTO stop_requests (run, action, reason) VALUES (?, ?, ?)');
        put.run(runId, action, reason);
        queueMicrotask(() => report(runId));
      }, 'written'),
    get,
    delete: (runId) =>
      write(() => void database.prepare('DELETE FROM stop_requests WHERE run = ?').run(runId), 'written'),
    watch(runId, onRequest) {
      const end = watchers.watchStop(runId, onRequest);
      report(runId);
      return end;
    },
  };
  return { stops, watchers, close: () => regularly(false) };
}

function dataVersion(database: DatabaseSync): () => number {
  const pragma = database.prepare('PRAGMA data_version');
  return () => Number(pragma.get()?.data_version);
}
