import type { Queue } from 'bullmq';
import { invalidOption } from '../argument-checks.ts';

/** A whole run for a worker: all of it is in the store that they share. */
export interface RunJob {
  /** Of this form. A worker of another version leaves the run as it is. */
  readonly version: 1;
  readonly runId: string;
}

export type RunQueue = Pick<Queue, 'add' | 'close'>;

/** Times that workers look for a run in their store, and milliseconds between them. */
const TRIES = 5;
const TRY_AGAIN_MS = 2_000;

/** Queues a run; one that is queued already stays where it is. */
export async function queueRun(queue: RunQueue, runId: string): Promise<void> {
  const job: RunJob = { version: 1, runId };
  const kept = { removeOnComplete: true, removeOnFail: true };
  const retried = { attempts: TRIES, backoff: { type: 'fixed', delay: TRY_AGAIN_MS } };
  await queue.add('run', job, { ...kept, ...retried, jobId: `run-${runId}` });
}

/** @throws RlmError `invalid-option` for a job that a process of another version has queued */
export function checkVersion(jobs: 'children' | 'runs', version: unknown): void {
  if (version === 1) return;
  throw invalidOption(
    `This worker knows ${jobs} of version 1, not ${String(version)}: use the same version of fathom-rlm everywhere`,
  );
}
