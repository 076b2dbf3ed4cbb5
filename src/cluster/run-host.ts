import type { Job } from 'bullmq';
import { systemClock } from '../clock.ts';
import { CompletionError } from '../engine/result.ts';
import { messageOf, RlmError } from '../errors.ts';
import { pauseRun } from '../resume/pause-run.ts';
import { createRlm, type Rlm } from '../rlm.ts';
import type { RlmOptions } from '../rlm-options.ts';
import { stopOf } from '../run/run-outcome.ts';
import type { Store } from '../store/index.ts';
import { checkVersion, type RunJob } from './run-job.ts';
import type { WorkerFacts } from './worker-facts.ts';

export interface RunHostOptions {
  /** Opens the store: again where it failed, because a store that lost its lease stays closed. */
  readonly openStore: () => Store;
  /** Options of the `Rlm` that runs them, without its store. */
  readonly rlm: RlmOptions;
  readonly facts: WorkerFacts;
  readonly onLine: (line: string) => void;
}

/** `later`: the run is to be tried again; another process has it, or the store is out of reach. */
export type RunVerdict = 'ended' | 'later';

interface Opened {
  readonly store: Store;
  readonly rlm: Rlm;
}

/**
 * Whole runs on this worker. The worker that has the lock of a run in the store owns it; where its lease ends, another one gets
 * the run from the queue and continues it from its journal.
 */
export class RunHost {
  readonly #options: RunHostOptions;
  readonly #runs = new Set<string>();
  #opened: Opened | undefined;
  #closed = false;

  constructor(options: RunHostOptions) {
    this.#options = options;
  }

  /** Runs under way. */
  get active(): number {
    return this.#runs.size;
  }

  /** Runs one to its end. @throws RlmError `run-not-found`, `invalid-option` for a job of another version */
  async run({ data }: Pick<Job<RunJob>, 'data'>): Promise<RunVerdict> {
    checkVersion('runs', data.version);
    if (this.#closed) return 'later';
    const { runId } = data;
    const { onLine, facts } = this.#options;
    const opened = this.#open();
    this.#runs.add(runId);
    onLine(`run ${runId} begins`);
    facts.begin('run');
    try {
      const { outcome } = await opened.rlm.resume(runId);
      onLine(`run ${runId} ended: ${outcome}`);
      facts.end('run', outcome);
      return 'ended';
    } catch (error) {
      onLine(`run ${runId} ended: ${messageOf(error)}`);
      facts.end('run', CompletionError.isInstance(error) ? error.result.outcome : 'failed');
      if (RlmError.isInstance(error) && error.data.lost === true) facts.takenOver += 1;
      return await this.#after(error, runId, opened);
    } finally {
      this.#runs.delete(runId);
    }
  }

  /** With runs under way, they are left to other workers: the store says that they were interrupted. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop(this.#opened);
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    const store = this.#options.openStore();
    this.#opened = { store, rlm: createRlm({ ...this.#options.rlm, store }) };
    return this.#opened;
  }

  async #after(error: unknown, runId: string, opened: Opened): Promise<RunVerdict> {
    if (!RlmError.isInstance(error)) throw error;
    if (error.code === 'store-failure' || this.#closed) {
      await this.#drop(opened);
      return 'later';
    }
    if (error.code === 'run-locked') return 'later';
    if (error.code === 'run-not-found') throw error;
    // It failed, was cancelled or paused, which its record says; or it had ended before.
    if (CompletionError.isInstance(error) || error.code === 'invalid-option') return 'ended';
    await pauseRun(runId, { store: opened.store, clock: systemClock, reason: error.message, stop: stopOf(error) });
    return 'ended';
  }

  async #drop(opened: Opened | undefined): Promise<void> {
    if (opened === undefined) return;
    if (this.#opened === opened) this.#opened = undefined;
    // The store first: what has not ended is left as it is. A store that failed has nothing to close.
    await opened.store.close().catch(() => undefined);
    await opened.rlm.close().catch(() => undefined);
  }
}
