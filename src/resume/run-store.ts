import type { Clock } from '../clock.ts';
import type { Run, RunStore } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import { reopenLog } from '../event/reopen.ts';
import { createJournal, openJournal } from '../journal/index.ts';
import type { LockResult, RunRecord, Store, StoreLock } from '../store/index.ts';
import { type LockOwner, processInWords } from '../store/lock-owner.ts';
import { describeRequest } from './run-request.ts';

/** Locks of the runs that this process works on, by run id. */
const held = new WeakMap<Store, Map<string, StoreLock>>();

function locksOf(store: Store): Map<string, StoreLock> {
  const known = held.get(store);
  if (known !== undefined) return known;
  const locks = new Map<string, StoreLock>();
  held.set(store, locks);
  return locks;
}

/**
 * Makes this process the owner of a run; false when it already is.
 *
 * @throws RlmError `run-locked` naming the process that works on it
 */
export async function claim(runId: string, store: Store): Promise<boolean> {
  const locks = locksOf(store);
  if (locks.has(runId)) return false;
  const result = await store.lock(`run ${runId}`, processInWords());
  if (!result.ok) {
    if (isHere(result.process)) return false;
    throw runLocked(runId, result);
  }
  locks.set(runId, result.lock);
  return true;
}

/** Gives up the ownership of a run. */
export function unclaim(runId: string, store: Store): void {
  const locks = locksOf(store);
  locks.get(runId)?.release();
  locks.delete(runId);
}

/** A store in memory has one process; another store object of this process is as good as this one. */
function isHere(owner: LockOwner | undefined): boolean {
  return owner === undefined || (owner.confirmed && owner.pid === process.pid);
}

function runLocked(runId: string, { heldBy, process: owner }: Extract<LockResult, { ok: false }>): RlmError {
  return new RlmError({
    code: 'run-locked',
    message: `Run ${runId} is running in ${heldBy}: wait until it has ended there, or cancel it.`,
    userAction: true,
    data: { runId, holder: heldBy, ...(owner !== undefined && { process: owner }) },
  });
}

/** The stop requests of the runs that this process works on, by run id. */
const listened = new WeakMap<Store, Map<string, () => void>>();

/** From now on, requests of other processes reach the run. */
function listenForStops({ id, stop }: Pick<Run, 'id' | 'stop'>, store: Store): void {
  const ends = listened.get(store) ?? new Map<string, () => void>();
  listened.set(store, ends);
  ends.get(id)?.();
  let received = false;
  const unwatch = store.stops.watch(id, ({ action, reason }) => {
    received = true;
    stop[action](reason);
  });
  ends.set(id, () => {
    unwatch();
    ends.delete(id);
    // A run that is resumed later is not stopped by it. A store that fails reports it to the run.
    if (received) Promise.resolve(store.stops.delete(id)).catch(() => undefined);
  });
}

/** Stores runs: one record each, their events, and the journal of each tree. Records have the time of the wall clock. */
export function runStore(store: Store, { clock, wall }: { readonly clock: Clock; readonly wall: Clock }): RunStore {
  const now = (): string => new Date(wall.now()).toISOString();
  return {
    createJournal: (runId) => createJournal({ journalId: runId, store, clock }),
    reopenJournal: (runId) => openJournal({ journalId: runId, store, clock }),
    reopenLog: (runId) => reopenLog(store.events, runId),
    async begin(run, backend) {
      await claim(run.id, store);
      const known = await store.runs.get(run.id);
      const record: RunRecord = known ?? {
        id: run.id,
        traceId: run.id,
        depth: 0,
        ...(run.sessionId !== undefined && { sessionId: run.sessionId }),
        status: 'running',
        createdAt: now(),
        updatedAt: now(),
        ...(run.request.owner !== undefined && { owner: run.request.owner }),
        request: await describeRequest(run, { store, backend }),
      };
      const { result: _, ...rest } = record;
      await store.runs.put({ ...rest, status: 'running', updatedAt: now() });
      listenForStops(run, store);
    },
    async end(runId, ended) {
      try {
        const record = await store.runs.get(runId);
        if (record !== undefined) await store.runs.put({ ...record, ...endOf(ended), updatedAt: now() });
      } finally {
        listened.get(store)?.get(runId)?.();
        unclaim(runId, store);
      }
    },
  };
}

/** The changes to a run's record at its end. */
function endOf({ result, resumable }: Parameters<RunStore['end']>[1]): Pick<RunRecord, 'status' | 'result'> {
  const { usage, outcome, stop, text, turns, subCalls, elapsedMs } = result;
  const { inputTokens, outputTokens, costUsd } = usage;
  const failed = resumable ? 'paused' : 'failed';
  const aborted = resumable ? 'paused' : 'aborted';
  return {
    status: outcome === 'failed' ? failed : outcome === 'aborted' ? aborted : 'completed',
    result: {
      outcome,
      stop,
      text,
      turns,
      subCalls,
      inputTokens,
      outputTokens,
      costUsd,
      elapsedMs,
      ...(result.evidence !== undefined && { evidence: result.evidence }),
      ...(result.outcome !== 'converged' && { reason: result.reason }),
    },
  };
}
