import type { Clock } from '../clock.ts';
import type { ContextSet } from '../context/index.ts';
import type { EventBody } from '../event/event.ts';
import type { JournalScope } from '../journal/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { AnswerType } from '../schema/answer-type.ts';
import type { CallModel } from '../subcall/paid-call.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { LimitReached, StopControl } from './stop-control.ts';

/** Everything one completion works with. It names no vendor, transport or disk: those are behind the functions. */
export interface RunContext {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly depth: number;
  readonly query: string;
  readonly contexts: ContextSet;
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly models: ModelPolicy;
  readonly toolbox: Toolbox;
  readonly answerType: AnswerType | undefined;
  readonly prompt: PromptOptions;
  readonly requireInspection: boolean;
  readonly stop: StopControl;
  readonly emit: (event: EventBody) => void;
  /** Tells that a limit was reached, once for each limit. */
  readonly limitReached: (limit: LimitReached, turn: number) => void;
  readonly callModel: CallModel;
  /** Begins the tree again when a REPL was killed; undefined where that cannot be done: in a session. */
  readonly restart: RestartPolicy | undefined;
  /** This completion's part of the tree's journal. */
  readonly journal: JournalScope;
}
