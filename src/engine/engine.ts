import type { ReplPlaces } from '../admission/repl-places.ts';
import type { ReplPlace } from '../admission/tree-places.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event/bus.ts';
import type { RunEvent } from '../event/event.ts';
import type { ReopenedLog } from '../event/reopen.ts';
import type { ChildRun, Journal } from '../journal/index.ts';
import type { Limits } from '../limits.ts';
import type { Model, ModelRef, RateControl } from '../model/index.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { IsolationLevel, Repl, ReplHost } from '../repl/port.ts';
import type { EventTail } from '../store/index.ts';
import type { ToolSet } from '../tools/toolbox.ts';
import type { CompletionResult, Unfinished } from './result.ts';
import type { Run, RunRequest } from './run.ts';

/** What all runs of one `Rlm` share. Nothing in it names a vendor, a transport or a disk. */
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
  /** The events of a run; those of a child reach its parent's subscribers as well. */
  readonly openEvents: (options: {
    readonly runId: string;
    /** The id of the tree's root. */
    readonly traceId: string;
    readonly parent?: Run | undefined;
    readonly tail?: EventTail | undefined;
    /** A replay's events were stored and shown when they happened: they go to this listener alone. */
    readonly onlyTo?: (event: RunEvent) => void;
  }) => EventBus;
  readonly runs: RunStore;
  readonly newId: () => string;
  readonly defaults: EngineDefaults;
  /** Runs a child completion to its end. It is here so that serving a sub-call needs to know nothing of running one. */
  readonly runChild: (options: ChildOptions) => Promise<CompletionResult<unknown>>;
}

/** How a child completion is started. */
export interface ChildOptions {
  readonly parent: Run;
  readonly request: RunRequest;
  /** The parent's, or with another root model for the child. */
  readonly models: ModelPolicy;
  /** Its run id and its part of the journal. */
  readonly child: ChildRun;
  /** Room for its REPL, given back by the caller. */
  readonly place: ReplPlace;
  readonly signal: AbortSignal;
}

/** Stores what a run needs to be resumed after a crash. */
export interface RunStore {
  /** The journal of a new tree. */
  readonly createJournal: (runId: string) => Journal;
  /** The journal of a tree that is restarted in this process. */
  readonly reopenJournal: (runId: string) => Promise<Journal>;
  /** Opens the event log of a run that is resumed. */
  readonly reopenLog: (runId: string) => Promise<ReopenedLog>;
  /** Records a run before anything of it is sent. */
  readonly begin: (run: Run, backend: string) => Promise<void>;
  /** Records how a run ended. */
  readonly end: (
    runId: string,
    end: { readonly result: CompletionResult<unknown> | Unfinished; readonly resumable: boolean },
  ) => Promise<void>;
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
