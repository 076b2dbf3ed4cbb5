import type { Clock } from '../clock.ts';
import type { StopReason } from '../event/event.ts';
import type { Store } from '../store/index.ts';
import { figuresOf, readRunLogs } from './run-logs.ts';
import { claim, unclaim } from './run-store.ts';

export interface PauseOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** A sentence for the run's record. */
  readonly reason: string;
  readonly stop: StopReason;
}

/**
 * Records why a run that has not ended cannot continue here, so that a person sees it and can resume the run once that is mended. A run
 * that another process has is left alone.
 *
 * @throws RlmError `run-locked`, `store-failure`
 */
export async function pauseRun(runId: string, { store, clock, reason, stop }: PauseOptions): Promise<void> {
  if (!(await claim(runId, store))) return;
  try {
    const record = await store.runs.get(runId);
    if (record === undefined) return;
    const { calls: _, ...figures } = figuresOf(await readRunLogs(store, runId));
    const base = { outcome: 'failed', stop, text: '', elapsedMs: 0, ...record.result } as const;
    const updatedAt = new Date(clock.now()).toISOString();
    await store.runs.put({ ...record, status: 'paused', updatedAt, result: { ...base, ...figures, reason } });
    await store.flush();
  } finally {
    unclaim(runId, store);
  }
}
