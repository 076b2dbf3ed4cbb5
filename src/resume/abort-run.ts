import type { Clock } from '../clock.ts';
import { RlmError } from '../errors.ts';
import { createEventBus } from '../event/bus.ts';
import type { RunCompleted } from '../event/event.ts';
import { reopenLog } from '../event/reopen.ts';
import { openJournal } from '../journal/index.ts';
import { RESUMABLE, type RunRecord, type Store } from '../store/index.ts';
import { figuresOf, type RunLog, readRunLogs } from './run-logs.ts';
import { claim, unclaim } from './run-store.ts';

export interface AbortOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** The reason, for the record. */
  readonly reason: string;
}

/**
 * Ends an interrupted or paused run: it and its children get their terminal record, `aborted`, with everything they had
 * gained, and it can no longer be resumed.
 *
 * @returns the run's record after the change
 * @throws RlmError `run-not-found`, `invalid-option` when it runs here or has ended, `run-locked` when it runs in another process
 */
export async function abortRun(runId: string, options: AbortOptions): Promise<RunRecord> {
  if (!(await claim(runId, options.store))) throw notAbortable(runId, 'it is running here');
  try {
    return await abort(runId, options);
  } finally {
    unclaim(runId, options.store);
  }
}

async function abort(runId: string, { store, clock, reason }: AbortOptions): Promise<RunRecord> {
  const record = await store.runs.get(runId);
  if (record === undefined) {
    throw new RlmError({
      code: 'run-not-found',
      message: `There is no run ${runId} in the store (${store.location}).`,
      userAction: true,
      data: { runId },
    });
  }
  // This process owns the run: a run recorded as running belonged to a process that ended.
  const status = record.status === 'running' ? 'interrupted' : record.status;
  if (!RESUMABLE.has(status)) throw notAbortable(runId, `it has ended (${status})`);
  const log = await readRunLogs(store, runId);
  const { recovered } = await openJournal({ journalId: runId, store, clock });
  const end = { reason, elapsedMs: recovered.elapsedMs, reopen: true };
  const terminal = await endLog(log, { store, clock, traceId: record.traceId, parentRunId: undefined }, end);
  const { outcome, stop, turns, subCalls, inputTokens, outputTokens, costUsd, elapsedMs } = terminal;
  const aborted: RunRecord = {
    ...record,
    status: 'aborted',
    updatedAt: new Date(clock.now()).toISOString(),
    result: {
      outcome,
      stop,
      reason,
      turns,
      subCalls,
      inputTokens,
      outputTokens,
      costUsd,
      elapsedMs,
      text: record.result?.text ?? '',
    },
  };
  await store.runs.put(aborted);
  await store.flush();
  return aborted;
}

interface RunLocation {
  readonly store: Store;
  readonly clock: Clock;
  readonly traceId: string;
  readonly parentRunId: string | undefined;
}

interface End {
  readonly reason: string;
  readonly elapsedMs: number;
  /** Removes an existing terminal record: the run was paused, and now ends another way. */
  readonly reopen: boolean;
}

/** The terminal record of a run, after those of its children. */
async function endLog(log: RunLog, location: RunLocation, end: End): Promise<RunCompleted> {
  const { store, clock, traceId, parentRunId } = location;
  for (const child of log.children) {
    const last = child.events.at(-1);
    if (last === undefined || last.type === 'run.completed') continue;
    const elapsedMs = Date.parse(last.time) - Date.parse(child.events[0]?.time ?? last.time);
    await endLog(child, { ...location, parentRunId: log.runId }, { ...end, elapsedMs, reopen: false });
  }
  const started = log.events.find((event) => event.type === 'run.started');
  const { calls: _, ...figures } = figuresOf(log);
  const terminal: RunCompleted = {
    type: 'run.completed',
    outcome: 'aborted',
    stop: 'cancelled',
    ...figures,
    elapsedMs: end.elapsedMs,
    reason: end.reason,
    rootModel: started?.rootModel ?? '',
    subCallModel: started?.subCallModel ?? '',
  };
  const { runId } = log;
  const { tail } = end.reopen ? await reopenLog(store.events, runId) : { tail: await store.events.tail(runId) };
  const bus = createEventBus({ runId, traceId, clock, store, tail, ...(parentRunId !== undefined && { parentRunId }) });
  bus.emit(terminal);
  await bus.flush();
  return terminal;
}

function notAbortable(runId: string, why: string): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `Run ${runId} cannot be cancelled: ${why}.`,
    userAction: true,
    data: { runId },
  });
}
