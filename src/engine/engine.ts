import type { ReplPlaces } from '../admission/repl-places.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event/bus.ts';
import type { ReopenedLog } from '../event/reopen.ts';
import type { Journal } from '../journal/index.ts';
import type { Limits } from '../limits.ts';
import type { Model, ModelRef, RateControl } from '../model/index.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { IsolationLevel, Repl, ReplHost } from '../repl/port.ts';
import type { EventTail } from '../store/index.ts';
import type { ToolSet } from '../tools/toolbox.ts';
import type { CompletionResult, Unfinished } from './result.ts';
import type { RunContext } from './run.ts';

/** Which run of which tree events belong to. */
export interface RunIdentity {
  readonly runId: string;
  readonly parentRunId: string | undefined;
  /** The run id of the tree's root. */
  readonly traceId: string;
}

/** Keeps what a run needs to go on after a crash. */
export interface RunKeeper {
  /** The journal of a new tree. */
  readonly journal: (runId: string) => Journal;
  /** The journal of a tree that begins again in this process. */
  readonly reopenJournal: (runId: string) => Promise<Journal>;
  /** Opens the event log of a run that goes on. */
  readonly reopen: (runId: string) => Promise<ReopenedLog>;
  /** Records a run before anything of it is sent. */
  readonly begin: (
    run: RunContext,
    how: { readonly backend: string; readonly sessionId: string | undefined },
  ) => Promise<void>;
  /** Records how a run ended. */
  readonly end: (
    runId: string,
    end: { readonly result: CompletionResult<unknown> | Unfinished; readonly resumable: boolean },
  ) => Promise<void>;
}

/** What all completions of one `Rlm` share, with nothing in it that names a vendor, a transport or a disk. */
export interface Engine {
  readonly clock: Clock;
  readonly rates: RateControl;
  readonly resolveModel: (ref: ModelRef) => Promise<Model>;
  /** Room for REPLs: who has it, and who waits. */
  readonly places: ReplPlaces;
  /** The name of the backend that opens REPLs. @throws RlmError where it cannot be used here */
  readonly backendName: () => Promise<string>;
  readonly openRepl: (options: {
    readonly host: ReplHost;
    readonly limits: Limits;
    readonly signal: AbortSignal;
  }) => Promise<Repl>;
  /** The events of a run; those of a child are told to its parent's subscribers as well. */
  readonly openEvents: (
    identity: RunIdentity,
    options: { readonly parent?: EventBus; readonly tail?: EventTail },
  ) => EventBus;
  readonly keeper: RunKeeper;
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
