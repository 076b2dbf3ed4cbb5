import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isObject } from '../argument-checks.ts';
import type { ContextInput } from '../context/index.ts';
import type { Limits } from '../limits.ts';
import type { ModelRef } from '../model/index.ts';
import type { ReplChoice } from '../repl/select.ts';
import type { ToolSet } from '../tools/toolbox.ts';

/** A query and a context, kept apart; everything else overrides the `Rlm`'s options for this completion. */
export interface CompletionRequest<T = string> {
  /** The question; a text that is not blank. */
  readonly query: string;
  /** Default: none; `context` is then `None` in the REPL. */
  readonly context?: ContextInput;
  /**
   * Types the answer: it is validated inside the loop, and the model repairs it. A `jsonSchema(…)` validates in a worker thread; a
   * schema of another library runs in this one.
   */
  readonly output?: StandardSchemaV1<unknown, T>;
  /** Over the Rlm's, one by one. Default: the Rlm's. */
  readonly limits?: Partial<Limits>;
  /** In place of the Rlm's. Default: the Rlm's. */
  readonly tools?: ToolSet;
  /** The root model. Default: the Rlm's. */
  readonly model?: ModelRef;
  /** The model of sub-calls, per depth from 1; the last one repeats. Default: the Rlm's; where it has none, the root model. */
  readonly subModel?: ModelRef | readonly ModelRef[];
  /** Default: the Rlm's. */
  readonly repl?: ReplChoice;
  /** Aborting it is the same as `run.cancel()`. */
  readonly signal?: AbortSignal;
}

/** A request that is none is found wanting like everything else that is wrong with one: by the run it starts. */
export function givenRequest<T>(request: CompletionRequest<T>): CompletionRequest<T> {
  return isObject(request) ? request : ({} as CompletionRequest<T>);
}
