import type { Settlement } from '../model/account.ts';
import type { RecordedCall, StepKind } from './port.ts';

/** The fields of a journal's entries, by kind. Old fields keep their meaning: journals of every version are replayed. */
export interface EntryBodies {
  /** An attempt is about to be sent. */
  begin: BeginBody;
  /** The prompt of a sub-call, for people who look at the run: a replay does not need it. */
  call: CallBody;
  /** An attempt has ended without a result of its step. */
  settle: SettleBody;
  /** The beginning of a root reply, on record because a cell of it is about to run while the rest arrives. */
  beginning: BeginningBody;
  /** A step's result, with the settlement of the attempt that gave it. */
  step: StepBody;
  /** A child completion was given its run id. */
  child: ChildBody;
  /** A tool of the caller is about to be called: a call without a result may have acted. */
  tool: ToolBody;
  command: CommandBody;
  turn: TurnBody;
}

export type EntryKind = keyof EntryBodies;

interface Stamped {
  /** Milliseconds the run had been at work. */
  readonly at: number;
}

export interface BeginBody extends Stamped {
  readonly attempt: number;
  readonly kind: StepKind;
  readonly model: string;
  /** Worst case of the attempt, in tokens. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
}

export interface BeginningBody extends Stamped {
  readonly text: string;
}

export interface CallBody extends Stamped, RecordedCall {}

export interface SettleBody extends Stamped {
  readonly attempt: number;
  /** Absent when it was never sent. */
  readonly settlement?: Settlement;
  /** Settled by a later process, as an estimate. */
  readonly inFlight?: boolean;
}

export interface StepBody extends Stamped {
  readonly value: unknown;
  readonly settled?: { readonly attempt: number; readonly settlement: Settlement };
}

export interface ChildBody extends Stamped {
  readonly runId: string;
}

export interface ToolBody extends Stamped {
  readonly name: string;
}

export interface CommandBody extends Stamped {
  readonly source: string;
  readonly shownHash: string;
  readonly ok: boolean;
  readonly timedOut?: boolean;
  readonly restarted?: boolean;
}

export interface TurnBody extends Stamped {
  readonly turn: number;
  readonly feedback: string;
}
