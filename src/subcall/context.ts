import type { Clock } from '../clock.ts';
import type { EventBody } from '../event/event.ts';
import type { JournalScope, Step } from '../journal/index.ts';
import type { Ledger, Resource } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { GuestValue, JsonValue, SubCallReply } from '../repl/port.ts';
import type { Trajectory } from '../trajectory.ts';
import type { CallModel } from './paid-call.ts';
import type { SubCallTally } from './tally.ts';

/** What serving sub-calls needs of the completion they belong to. */
export interface SubCallContext {
  readonly runId: string;
  /** Of the completion; what it calls runs one deeper. */
  readonly depth: number;
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly models: ModelPolicy;
  readonly emit: (event: EventBody) => void;
  readonly callModel: CallModel;
  readonly journal: JournalScope;
  /** Ends the run with an error that a person has to mend. */
  readonly fail: (error: unknown) => void;
  readonly tally: SubCallTally;
  /** The ledger refused a sub-call for want of this; `message` says how it stands. */
  readonly refused: (resource: Resource, message: string) => void;
  /** The number of a sub-call that begins, from 1 in the run. */
  readonly nextCall: () => number;
  /** Reads answers of that JSON Schema. @throws RlmError when it is none */
  readonly answersOf: (schema: JsonObject) => ReadAnswer;
  /** Runs a child completion with its own REPL. Resolves for failures too. */
  readonly runChild: (child: ChildRequest) => Promise<ChildReply>;
}

type JsonObject = { readonly [key: string]: JsonValue };

/** An answer written as text: its value, or every error of one that does not fit. */
export type ReadAnswer = (
  text: string,
) => Promise<
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly errors: readonly string[] }
>;

/** A child completion as a cell asked for it. */
export interface ChildRequest {
  readonly query: string;
  readonly context: GuestValue | undefined;
  /** Name of the model a cell asked for. */
  readonly model: string | undefined;
  /** JSON Schema of the answer. */
  readonly output: JsonObject | undefined;
  readonly signal: AbortSignal;
  /** The step of the journal that it is. */
  readonly step: Step;
}

/** What a child came to. */
export interface ChildReply {
  readonly reply: SubCallReply;
  readonly trajectory: Trajectory;
}
