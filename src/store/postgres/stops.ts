import { actionOf, type StopRequest, type StopTable } from '../stop-table.ts';
import type { Watchers } from '../watchers.ts';
import type { Changes } from './changes.ts';
import type { Access } from './query.ts';

interface Row {
  readonly run: string;
  readonly action: string;
  readonly reason: string;
}

/** Requests to end runs. */
export function postgresStops({ write, read }: Access, changes: Changes): StopTable {
  return {
    put(runId, { action, reason }) {
      const text = `
        INSERT INTO stop_requests (run, action, reason) VALUES ($1, $2, $3)
        ON CONFLICT (run) DO UPDATE SET action = excluded.action, reason = excluded.reason`;
      const stored = write({ text, values: [runId, action, reason] });
      stored.then(
        () => {
          changes.changed(runId);
          changes.watchers.requested(runId, { action, reason });
        },
        () => undefined, // The caller gets the failure.
      );
      return stored;
    },
    async get(runId) {
      const [found] = await requestsOf(read, [runId]);
      return found?.request;
    },
    delete: (runId) => write({ text: 'DELETE FROM stop_requests WHERE run = $1', values: [runId] }),
    watch(runId, onRequest) {
      const { watchers } = changes;
      const end = watchers.watchStop(runId, onRequest);
      reportStops({ read, watchers }, [runId]);
      return end;
    },
  };
}

/** Reports the requests of runs that are stored. */
export function reportStops(
  { read, watchers }: { readonly read: Access['read']; readonly watchers: Watchers },
  runIds: readonly string[],
): void {
  requestsOf(read, runIds).then(
    (found) => {
      for (const { runId, request } of found) watchers.requested(runId, request);
    },
    () => undefined, // A store that cannot be read fails the run itself.
  );
}

async function requestsOf(
  read: Access['read'],
  runIds: readonly string[],
): Promise<readonly { readonly runId: string; readonly request: StopRequest }[]> {
  const text = 'SELECT run, action, reason FROM stop_requests WHERE run = ANY ($1)';
  const rows = await read<Row>({ text, values: [runIds] });
  return rows.map(({ run, action, reason }) => ({ runId: run, request: { action: actionOf(action), reason } }));
}
