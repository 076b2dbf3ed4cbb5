/**
 * The result of a completion, or the error it fails with.
 *
 * @module
 */
import { RlmError, type RlmErrorOptions } from '../errors.ts';
import type { Consensus, Evidence, Outcome, Route, StopReason } from '../event/event.ts';
import type { Usage } from '../ledger/index.ts';
import type { IsolationLevel } from '../repl/port.ts';
import type { Trajectory } from '../trajectory.ts';

/** The fields of every result, however the run ended. */
export interface ResultBase {
  /** A ULID: `rlm.resume(runId)` and `fathom runs show` take it. */
  readonly runId: string;
  /** Why it ended. */
  readonly stop: StopReason;
  /** The answer as text; `''` without an answer. */
  readonly text: string;
  /** Root-model replies, without the last call at a limit. */
  readonly turns: number;
  /** Sub-calls of the whole tree. */
  readonly subCalls: number;
  /** Milliseconds from start to result; a resumed run includes the time before the interruption. */
  readonly elapsedMs: number;
  /** Tokens and cost of the whole tree. */
  readonly usage: Usage;
  /** How it was answered, in mode `auto` or `direct`; absent in mode `always`, which takes the loop. */
  readonly route?: Route;
  /** The checked citations of the answer, with `evidence: 'cite'`. */
  readonly evidence?: Evidence;
  /** How the answer was chosen, with `consensus`. The other fields are those of the chosen attempt, but for usage, sub-calls and time. */
  readonly consensus?: Consensus;
  /** The isolation that the REPL had, which may be higher than the one asked for. A direct answer has no REPL: then the one asked for. */
  readonly isolation: IsolationLevel;
  /** Turns, commands, outputs and children. */
  readonly trajectory: Trajectory;
}

/** The model gave a final answer. */
export interface Converged<T> extends ResultBase {
  /** Distinguishes the three kinds of results. */
  readonly outcome: 'converged';
  /** The answer as `output` validated it; the text where the request has no `output`. */
  readonly answer: T;
}

/** A limit ended the run; the answer is the best there was. */
export interface Exhausted<T> extends ResultBase {
  /** Distinguishes the three kinds of results. */
  readonly outcome: 'exhausted';
  /** The best answer so far; `undefined` without one, or when none fits `output`. */
  readonly answer: T | undefined;
  /** Names the resource and the limit. */
  readonly reason: string;
}

/** The value of `await run`. */
export type CompletionResult<T = string> = Converged<T> | Exhausted<T>;

/** Everything gained by a run that failed or was aborted. */
export interface Unfinished extends ResultBase {
  /** `failed`: something broke; `aborted`: it was cancelled. */
  readonly outcome: Extract<Outcome, 'failed' | 'aborted'>;
  /** The message of the error. */
  readonly reason: string;
}

/** A run failed or was aborted; `result` holds everything gained so far, `cause` what happened. */
export class CompletionError extends RlmError {
  /** Usage, trajectory and draft answer until then. */
  readonly result: Unfinished;
  /** True when `rlm.resume(runId)` can continue the run, once its cause is removed. */
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
