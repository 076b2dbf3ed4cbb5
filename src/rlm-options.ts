import type { Clock } from './clock.ts';
import type { CommandPolicy } from './engine/command-policy.ts';
import type { ChildRunner } from './engine/run.ts';
import type { RunEvent } from './event/event.ts';
import type { Limits } from './limits.ts';
import type { ModelPrice, ModelRef } from './model/index.ts';
import type { ModelSettings } from './model/model-settings.ts';
import type { PromptOptions } from './prompt/index.ts';
import type { IsolationLevel } from './repl/port.ts';
import type { ReplChoice } from './repl/select.ts';
import type { Store } from './store/index.ts';
import type { ToolSet } from './tools/toolbox.ts';

/** Options of an `Rlm`. Only `model` is required. */
export interface RlmOptions {
  /** `provider/model`, or an AI SDK language model (specification v2, v3 or v4). */
  readonly model: ModelRef;
  /** The model of sub-calls, per depth from 1; the last one repeats. Default: `model`. */
  readonly subModel?: ModelRef | readonly ModelRef[];
  /** Default `auto`: the fast native REPL where its self-test proves isolation, else the embedded one. */
  readonly repl?: ReplChoice;
  /** The limits of a completion; those left out take {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<Limits>;
  /**
   * REPLs open at once, idle ones of sessions included; further runs wait. One run with many levels of children (`maxDepth`
   * above 3, or more than there are REPLs) may exceed it, by one REPL per level. Default: from memory and cores, as `fathom doctor` prints it.
   */
  readonly maxRepls?: number;
  /** Runs and new sessions that may wait for a REPL; further ones are refused with `overloaded`. Default 2 000. */
  readonly maxQueuedRuns?: number;
  /** Host functions and values cells can use. */
  readonly tools?: ToolSet;
  /** Children's tools. Default: they inherit; `{}`: none. */
  readonly subTools?: ToolSet;
  /** Where runs, events and journals are kept. Default: in memory. A store given here is not closed with the Rlm. */
  readonly store?: Store;
  /** Text that is added to the system prompt, or replaces it. Default: Fathom's own. */
  readonly prompt?: PromptOptions;
  /** The least isolation accepted; a REPL that cannot prove it does not start. Default `process`. */
  readonly isolation?: IsolationLevel;
  /** Refuse written answers before any code has looked at the context. Default true. */
  readonly requireInspection?: boolean;
  /**
   * Checks each cell and shell command that a model writes before it runs, in children, sessions and resumed runs as well. See
   * `fathom-rlm/policy`. Default: none.
   */
  readonly policy?: CommandPolicy;
  /** Temperature and reasoning effort of the models, recorded with each run. Default: the providers'. */
  readonly modelSettings?: ModelSettings;
  /** Models cells may name besides the policy's. Default: none. */
  readonly allowedModels?: readonly string[];
  /** Let the root model stand in for a sub-model that cannot be resolved or that its provider does not know. Default false: that is an error. */
  readonly fallbackToRootModel?: boolean;
  /**
   * Headers for requests to a model's server, by the model's id, its reference, or the server's origin
   * (`https://gateway:8443`). They are never recorded: a resumed run needs them again.
   */
  readonly headers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** USD per million tokens by model id; overrides the price table. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** Runs children (`rlm_query`) on workers: `connectCluster` of `fathom-rlm/cluster`. Default: in this process. */
  readonly cluster?: ChildRunner;
  /** For tests. */
  readonly clock?: Clock;
  /** Called with every event of every run and its children, as it becomes visible. */
  readonly onEvent?: (event: RunEvent) => void;
}
