import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ContextInput } from '../context/index.ts';
import type { Limits } from '../limits.ts';
import type { ModelRef } from '../model/index.ts';
import type { ReplChoice } from '../repl/select.ts';
import type { ToolSet } from '../subcall/toolbox.ts';

/** A query and a context, kept apart; everything else overrides the `Rlm`'s options for this completion. */
export interface CompletionRequest<T = string> {
  readonly query: string;
  /** Default: none; `context` is then `None` in the REPL. */
  readonly context?: ContextInput;
  /** Types the answer: it is validated inside the loop, and the model repairs it. */
  readonly output?: StandardSchemaV1<unknown, T>;
  readonly limits?: Partial<Limits>;
  readonly tools?: ToolSet;
  readonly model?: ModelRef;
  readonly subModel?: ModelRef | readonly ModelRef[];
  /** Default: the Rlm's. */
  readonly repl?: ReplChoice;
  /** Aborting it is the same as `run.cancel()`. */
  readonly signal?: AbortSignal;
}
