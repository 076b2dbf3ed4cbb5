import type { Clock } from '../clock.ts';
import type { RunKeeper } from '../engine/engine.ts';
import { reopenLog } from '../event/reopen.ts';
import { createJournal, openJournal } from '../journal/index.ts';
import type { RunRecord, RunStatus, Store } from '../store/index.ts';
import { describeRequest } from './run-request.ts';

/** Runs of this process that have begun and not ended. A store has one writer, so a run that is not here does not run. */
const active = new Set<string>();

/** Takes a run that is to go on, so that nobody else does; false when it runs already. */
export function claim(runId: string): boolean {
  if (active.has(runId)) return false;
  active.add(runId);
  return true;
}

/** Gives back a run that could not go on. */
export function unclaim(runId: string): void {
  active.delete(runId);
}

/** Where a run really stands: one that its record calls running, and that this process does not run, was interrupted. */
export function statusOf({ id, status }: Pick<RunRecord, 'id' | 'status'>): RunStatus {
  return status === 'running' && !active.has(id) ? 'interrupted' : status;
}

/** Keeps runs in a store: a record each, events, and the journal of each tree. */
export function storeKeeper(store: Store, clock: Clock): RunKeeper {
  const now = (): string => new Date(clock.now()).toISOString();
  return {
    journal: (runId) => createJournal({ journalId: runId, store, clock }),
    reopenJournal: (runId) => openJournal({ journalId: runId, store, clock }),
    reopen: (runId) => reopenLog(store.events, runId),
    async begin(run, { backend, sessionId }) {
      active.add(run.id);
      const known = await store.runs.get(run.id);
      const record: RunRecord = known ?? {
        id: run.id,
        traceId: run.id,
        depth: 0,
        ...(sessionId !== undefined && { sessionId }),
        status: 'running',
        createdAt: now(),
        updatedAt: now(),
        request: await describeRequest(run, { store, backend }),
      };
      const { result: _, ...rest } = record;
      await store.runs.put({ ...rest, status: 'running', updatedAt: now() });
    },
    async end(runId, { result, resumable }) {
      active.delete(runId);
      const record = await store.runs.get(runId);
      if (record === undefined) return;
      const { usage, outcome, stop, text, turns, subCalls, elapsedMs } = result;
      const { inputTokens, outputTokens, costUsd } = usage;
      await store.runs.put({
        ...record,
        status:
          outcome === 'failed' ? (resumable ? 'paused' : 'failed') : outcome === 'aborted' ? 'aborted' : 'completed',
        updatedAt: now(),
        result: {
          ...{ outcome, stop, text, turns, subCalls, inputTokens, outputTokens, costUsd, elapsedMs },
          ...(result.outcome !== 'converged' && { reason: result.reason }),
        },
      });
    },
  };
}
