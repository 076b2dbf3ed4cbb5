import { figuresOf, type RunFigures, readRunLogs } from '../resume/run-logs.ts';
import type { RunRecord, Store } from '../store/index.ts';

/** Facts of a run: the object that `fathom runs --json` prints for each. */
export interface RunFacts {
  readonly id: string;
  readonly status: RunRecord['status'];
  readonly outcome: string | null;
  readonly stop: string | null;
  readonly reason?: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly turns: number;
  readonly subCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  /** Null while the run has not ended. */
  readonly elapsedMs: number | null;
  readonly model: string;
  readonly sessionId?: string;
  /** Of a run at work: the process that has it. */
  readonly process?: { readonly host: string; readonly pid: number };
  readonly query: string;
}

/** Facts of a run; for a run that has not ended, as far as its events report them. */
export async function runFacts(run: RunRecord, store: Store): Promise<RunFacts> {
  const facts = runFactsOf(run, run.result ?? figuresOf(await readRunLogs(store, run.id)));
  const owner = run.status === 'running' ? (await store.holder(`run ${run.id}`))?.process : undefined;
  return owner === undefined ? facts : { ...facts, process: { host: owner.host, pid: owner.pid } };
}

/** Facts of a run whose figures so far are known. */
export function runFactsOf(run: RunRecord, soFar: Omit<RunFigures, 'calls'>): RunFacts {
  const { id, status, createdAt, updatedAt, request, sessionId, result } = run;
  const { turns, subCalls, inputTokens, outputTokens, costUsd } = result ?? soFar;
  return {
    id,
    status,
    outcome: result?.outcome ?? null,
    stop: result?.stop ?? null,
    ...(result?.reason !== undefined && { reason: result.reason }),
    createdAt,
    updatedAt,
    turns,
    subCalls,
    inputTokens,
    outputTokens,
    costUsd,
    elapsedMs: result?.elapsedMs ?? null,
    model: request.rootModel,
    ...(sessionId !== undefined && { sessionId }),
    query: request.query,
  };
}
