import type { Clock } from '../clock.ts';
import type { EventBus } from '../event/bus.ts';
import type { Limits } from '../limits.ts';
import type { Model, ModelRef } from '../model/port.ts';
import type { RateControl } from '../model/rate/rate-control.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { IsolationLevel, Repl, ReplHost } from '../repl/port.ts';
import type { ToolSet } from '../subcall/toolbox.ts';

/** Which run of which tree events belong to. */
export interface RunIdentity {
  readonly runId: string;
  readonly parentRunId: string | undefined;
  /** The run id of the tree's root. */
  readonly traceId: string;
}

/** What all completions of one `Rlm` share, with nothing in it that names a vendor, a transport or a disk. */
export interface Engine {
  readonly clock: Clock;
  readonly rates: RateControl;
  readonly resolveModel: (ref: ModelRef) => Promise<Model>;
  readonly openRepl: (options: {
    readonly host: ReplHost;
    readonly limits: Limits;
    readonly signal: AbortSignal;
  }) => Promise<Repl>;
  /** The events of a run; those of a child are told to its parent's subscribers as well. */
  readonly openEvents: (identity: RunIdentity, parent?: EventBus) => EventBus;
  readonly newId: () => string;
  readonly defaults: EngineDefaults;
}

/** The options of the `Rlm`, checked; a request may override some of them. */
export interface EngineDefaults {
  readonly model: ModelRef;
  readonly subModel: ModelRef | readonly ModelRef[] | undefined;
  readonly limits: Limits;
  readonly tools: ToolSet;
  /** Children's tools; undefined: they inherit. */
  readonly subTools: ToolSet | undefined;
  readonly prompt: PromptOptions;
  readonly isolation: IsolationLevel;
  readonly requireInspection: boolean;
  readonly allowedModels: readonly string[];
  readonly fallbackToRootModel: boolean;
}
