/**
 * The result of a completion, or the error it fails with.
 *
 * @module
 */
import { RlmError, type RlmErrorOptions } from '../errors.ts';
import type { Outcome, StopReason } from '../event/event.ts';
import type { Usage } from '../ledger/index.ts';
import type { IsolationLevel } from '../repl/port.ts';
import type { Trajectory } from '../trajectory.ts';

/** What every result says, however the run ended. */
export interface ResultBase {
  /** A ULID: `rlm.resume(runId)` and `fathom runs show` take it. */
  readonly runId: string;
  /** Why it ended. */
  readonly stop: StopReason;
  /** The answer as text; `''` when there is none. */
  readonly text: string;
  /** Root-model replies, without the last call at a limit. */
  readonly turns: number;
  /** Sub-calls of the whole tree. */
  readonly subCalls: number;
  /** Milliseconds from start to result; of a resumed run with those before the interruption. */
  readonly elapsedMs: number;
  /** Of the whole tree. */
  readonly usage: Usage;
  /** What the REPL really had. */
  readonly isolation: IsolationLevel;
  /** Turns, commands, outputs and children. */
  readonly trajectory: Trajectory;
}

/** The model gave a final answer. */
export interface Converged<T> extends ResultBase {
  /** Tells the three kinds of results apart. */
  readonly outcome: 'converged';
  /** What `output` made of the answer; without `output` the text. */
  readonly answer: T;
}

/** A limit ended the run; the answer is the best there was. */
export interface Exhausted<T> extends ResultBase {
  /** Tells the three kinds of results apart. */
  readonly outcome: 'exhausted';
  /** The best there was; `undefined` when there was none, or none that fits `output`. */
  readonly answer: T | undefined;
  /** Names the resource and the limit. */
  readonly reason: string;
}

/** What `await run` gives. */
export type CompletionResult<T = string> = Converged<T> | Exhausted<T>;

/** What was gained by a run that failed or was aborted. */
export interface Unfinished extends ResultBase {
  /** `failed`: something broke; `aborted`: it was cancelled. */
  readonly outcome: Extract<Outcome, 'failed' | 'aborted'>;
  /** What happened, as the error says it. */
  readonly reason: string;
}

/** A run failed or was aborted; `result` holds everything gained so far, `cause` what happened. */
export class CompletionError extends RlmError {
  /** Usage, trajectory and draft answer until then. */
  readonly result: Unfinished;
  /** The run can go on later with `rlm.resume(runId)`, once what stopped it is mended. */
  readonly resumable: boolean;

  constructor(options: RlmErrorOptions & { readonly result: Unfinished; readonly resumable: boolean }) {
    super(options);
    this.result = options.result;
    this.resumable = options.resumable;
  }

  /** True for every completion error, also across two copies of the package in one process. */
  static override isInstance(error: unknown): error is CompletionError {
    return RlmError.isInstance(error) && 'result' in error && 'resumable' in error;
  }
}
