import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ReplPlace, ReplPlaces } from '../admission/repl-places.ts';
import type { TreePlaces } from '../admission/tree-places.ts';
import type { Clock } from '../clock.ts';
import type {
  Attachment,
  ContextInput,
  ContextSet,
  ContextSource,
  LoadedContext,
  LoadedSeeds,
  SeedValues,
} from '../context/index.ts';
import type { EventBus } from '../event/bus.ts';
import type { EventBody, ModelNotice, Route, RunEvent, RunResumed } from '../event/event.ts';
import type { ReopenedLog } from '../event/reopen.ts';
import type { AnswerReview } from '../evidence/answer-review.ts';
import type { AnswerChecks } from '../evidence/check-context.ts';
import type { ChildRun, Journal, JournalScope, Recovered } from '../journal/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { CallGate, CallTree, Model, ModelRef, RateControl } from '../model/index.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { ModelSettings } from '../model/model-settings.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { IsolationLevel, Repl, ReplHost, SubCallRequest } from '../repl/port.ts';
import type { AnswerType } from '../schema/answer-type.ts';
import type { EventTail, RunOwner } from '../store/index.ts';
import type { Toolbox, ToolSet } from '../tools/toolbox.ts';
import type { ChildSlots } from './child-slots.ts';
import type { CommandPolicy } from './command-policy.ts';
import type { RestartPolicy } from './restart.ts';
import type { CompletionResult, Unfinished } from './result.ts';
import type { LimitReached, StopControl } from './stop-control.ts';

/** Whether a run may be answered by one direct call in place of the loop. */
export const RUN_MODES = ['auto', 'always', 'direct'] as const;

/**
 * `always` takes the loop. `direct` asks the root model once, with the whole context. `auto` does so where the context is
 * small beside the model's window.
 */
export type RunMode = (typeof RUN_MODES)[number];

/** A run's request, by a caller or by a cell of its parent. */
export interface RunRequest {
  /** Empty for a session, which has no query of its own. */
  readonly query: string;
  readonly context?: ContextInput;
  readonly seed?: SeedValues;
  /** A source: as recorded. */
  readonly attachments?: readonly Attachment[] | ContextSource;
  readonly output?: StandardSchemaV1;
  readonly limits?: Partial<Limits>;
  readonly tools?: ToolSet;
  readonly model?: ModelRef;
  readonly subModel?: ModelRef | readonly ModelRef[];
  /** Of a new run: added to the prompt. */
  readonly instructions?: string;
  /** Of a resumed or replayed run: as recorded. Default: the `Rlm`'s. */
  readonly prompt?: PromptOptions;
  /** A resumed or replayed run has the recorded value. Default: the `Rlm`'s. */
  readonly requireInspection?: boolean;
  readonly modelSettings?: ModelSettings;
  /** Of a new run. Default `always`. */
  readonly mode?: RunMode;
  /** Of a resumed run: as recorded. */
  readonly route?: Route;
  /** `cite`: the answer has citations, which are checked. */
  readonly evidence?: 'cite';
  /** Checks of a typed answer. */
  readonly checks?: AnswerChecks<never>;
  /** Of a new run: who asked through a door. */
  readonly owner?: RunOwner;
}

/** The state that all runs of a tree share. */
export interface RunTree {
  /** The id of the root. */
  readonly id: string;
  /** Model calls in flight. */
  readonly calls: CallTree;
  readonly children: ChildSlots;
  /** Restarts the tree when a REPL was killed; undefined in a session, which cannot be restarted. */
  readonly restart: RestartPolicy | undefined;
  /** Spending and progress of the tree before it was interrupted. */
  readonly recovered: Recovered | undefined;
  /** True when other trees draw from the same account. */
  readonly sharesBudget: boolean;
}

/**
 * A run from its first moment: it can be stopped, and it can fail with everything it has spent, before its request has
 * been checked.
 */
export interface OpenRun {
  readonly id: string;
  /** A session is a run as well: its cells ask for sub-calls, and its ledger pays for them. */
  readonly kind: 'completion' | 'session';
  readonly parent: Run | undefined;
  /** 0 for the root of a tree. */
  readonly depth: number;
  readonly tree: RunTree;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly request: RunRequest;
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly stop: StopControl;
  readonly events: EventBus;
  /** Emits an event; a run whose events cannot be stored is stopped. */
  readonly emit: (event: EventBody) => void;
  /** Emits that a limit was reached, once for each limit. */
  readonly reportLimit: (limit: LimitReached, turn: number) => void;
  /** Emits a fact about a model in the root's events, once for each model and kind. */
  readonly reportNotice: (notice: Omit<ModelNotice, 'type'>) => void;
  /** This run's part of the tree's journal. */
  readonly journal: JournalScope;
  /** The session whose REPL it uses. */
  readonly sessionId: string | undefined;
  /** Set when the run continues after an interruption: how it had ended, when that is known; or when it was queued for a worker. */
  readonly resumed: { readonly previous?: RunResumed['previous']; readonly queued?: true } | undefined;
  /** Room for the REPLs of a root and its children: waited for before its REPL opens. */
  readonly places: TreePlaces | undefined;
  /** Milliseconds since the epoch; a restarted run keeps its own. */
  readonly startedAt: number;
  /** An error in the request that was found before the run could be opened as asked. */
  readonly problem: { readonly error: unknown } | undefined;
}

/**
 * Everything one run works with, a session's or a completion's, the root's or a child's. A function that needs less takes
 * `Pick<Run, …>`.
 */
export interface Run extends OpenRun {
  readonly query: string;
  readonly contexts: ContextSet;
  readonly seeds: LoadedSeeds;
  /** A list of documents; undefined without any. */
  readonly attachments: LoadedContext | undefined;
  readonly models: ModelPolicy;
  /** As the caller gave them: children inherit them. */
  readonly tools: ToolSet;
  readonly toolbox: Toolbox;
  readonly answerType: AnswerType | undefined;
  /** Undefined where the request asks for no evidence. */
  readonly review: AnswerReview | undefined;
  readonly prompt: PromptOptions;
  readonly requireInspection: boolean;
  readonly modelSettings: ModelSettings;
  /** Undefined in mode `always`. */
  readonly route: Route | undefined;
  /** The run's lane through rate control. */
  readonly gate: CallGate;
}

/** Everything that all runs of one `Rlm` share. It names no vendor, no transport and no disk. */
export interface Engine {
  readonly clock: Clock;
  readonly rates: RateControl;
  readonly resolveModel: (ref: ModelRef) => Promise<Model>;
  /** Room for REPLs: its holders and its queue. */
  readonly places: ReplPlaces;
  /** The name of the backend that opens REPLs. @throws RlmError where it cannot be used here */
  readonly backendName: () => Promise<string>;
  readonly openRepl: (options: {
    readonly host: ReplHost;
    readonly limits: Limits;
    readonly signal: AbortSignal;
    readonly onPreparing: () => void;
  }) => Promise<Repl>;
  /** The events of a run; those of a child reach its parent's subscribers as well. */
  readonly openEvents: (options: {
    readonly runId: string;
    /** The id of the tree's root. */
    readonly traceId: string;
    readonly parent?: Pick<Run, 'id' | 'events'>;
    readonly tail?: EventTail;
    /** A replay's events were stored and shown when they happened: only this listener gets them again. */
    readonly onlyTo?: (event: RunEvent) => void;
  }) => EventBus;
  readonly runs: RunStore;
  readonly newId: () => string;
  readonly defaults: EngineDefaults;
  /** This process, for the runs that it works on for others. */
  readonly worker?: string;
  /** Children run in other processes: they need no room for REPLs here. */
  readonly childrenElsewhere: boolean;
  /** Runs a child completion to its end. Handed in here, so that serving sub-calls does not import running a completion. */
  readonly runChild: (options: ChildOptions) => Promise<CompletionResult<unknown>>;
}

/** Runs children in other processes, and hands them whole runs. */
export interface ChildRunner {
  readonly runChild: Engine['runChild'];
  /** Shared with other processes that call the same models. */
  readonly rates: RateControl;
  /** A stored run waits for a worker from now on; once, however often this is called. */
  readonly queueRun: (runId: string) => Promise<void>;
}

/** How a child completion is started. */
export interface ChildOptions {
  readonly parent: Run;
  readonly request: RunRequest;
  /** The request as the cell made it: plain data. */
  readonly asked: Extract<SubCallRequest, { kind: 'rlm' }>;
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
  /** Checks the commands of all runs, children included. */
  readonly policy: CommandPolicy | undefined;
  readonly modelSettings: ModelSettings;
  readonly allowedModels: readonly string[];
  readonly fallbackToRootModel: boolean;
}
