import type { StandardSchemaV1 } from '@standard-schema/spec';
import { runPlaces } from '../admission/tree-places.ts';
import { isObject } from '../argument-checks.ts';
import type { Attachment, ContextInput, SeedValues } from '../context/index.ts';
import { defined } from '../defined.ts';
import { RestartPolicy, RestartTree } from '../engine/restart.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { Engine, OpenRun, RunMode, RunRequest } from '../engine/run.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { RunEvent } from '../event/event.ts';
import type { ReopenedLog } from '../event/reopen.ts';
import type { AnswerChecks } from '../evidence/check-context.ts';
import type { Journal } from '../journal/index.ts';
import type { Limits } from '../limits.ts';
import type { ModelRef } from '../model/index.ts';
import type { ModelSettings } from '../model/model-settings.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { ReplChoice } from '../repl/select.ts';
import type { RunOwner } from '../store/index.ts';
import type { ToolSet } from '../tools/toolbox.ts';
import { executeRun } from './execute-run.ts';
import { openRun } from './open-run.ts';
import { type Generation, nextGeneration } from './restart.ts';
import type { SharedBudget } from './shared-budget.ts';

/**
 * A completion that has started: a promise of its result, and an iterable of its events and those of its children, from
 * the first event on.
 */
export interface CompletionRun<T = string> extends PromiseLike<CompletionResult<T>>, AsyncIterable<RunEvent> {
  /** A ULID: the `runId` of its result and events. */
  readonly id: string;
  /** Stops now: the promise rejects with a `CompletionError`, which has everything gained so far. */
  cancel(reason?: string): void;
  /** Stops now, and leaves a run of a durable store resumable: its record says `paused`. A session's run is cancelled. */
  pause(reason?: string): void;
  /** Asks for the best answer now: outcome `exhausted`, stop `finish-requested`. */
  finish(reason?: string): void;
  /** As of a promise. */
  readonly catch: Promise<CompletionResult<T>>['catch'];
  /** As of a promise. */
  readonly finally: Promise<CompletionResult<T>>['finally'];
}

/** A session's REPL for the duration of one completion. */
export interface WorkspaceLease {
  readonly workspace: Workspace;
  /** Called once, with the end of the completion. */
  readonly release: (end: CompletionResult<unknown> | CompletionError | undefined) => void;
}

/** The session a completion belongs to. */
export interface SessionLease {
  readonly sessionId: string;
  /** Waits for the session's REPL until it is this run's turn. */
  readonly lease: (runId: string, signal: AbortSignal) => Promise<WorkspaceLease>;
}

export interface StartRunOptions {
  readonly engine: Engine;
  readonly request: RunRequest;
  readonly signal: AbortSignal | undefined;
  /** A known error in the request: the run rejects with it. */
  readonly problem?: OpenRun['problem'];
  /** Resumes a run that was interrupted. */
  readonly interrupted?: {
    readonly runId: string;
    readonly journal: Journal;
    readonly log: ReopenedLog;
    readonly queued?: true;
  };
  /** Default: the run has a REPL of its own. */
  readonly session?: SessionLease;
  /** The account it shares with other runs. Default: its own. */
  readonly budget?: SharedBudget;
}

/** Starts a completion at once. An invalid request rejects the run. */
export function startRun<T>(options: StartRunOptions): CompletionRun<T> {
  const { engine, request, signal, session, interrupted } = options;
  const id = interrupted?.runId ?? engine.newId();
  const events = engine.openEvents({ runId: id, traceId: id, ...defined({ tail: interrupted?.log.tail }) });
  const restart = session === undefined ? new RestartPolicy() : undefined;
  const startedAt = engine.clock.now();
  const places = runPlaces({
    places: engine.places,
    inSession: session !== undefined,
    refusable: interrupted === undefined,
  });
  const open = (journal: Journal): Generation => ({
    journal,
    run: openRun({
      engine,
      id,
      request,
      signal,
      events,
      startedAt,
      places,
      journal: journal.root,
      recovered: journal.recovered,
      problem: options.problem,
      resumed: interrupted && defined({ previous: interrupted.log.previous, queued: interrupted.queued }),
      ...defined({ restart, sessionId: session?.sessionId, budget: options.budget }),
    }),
  });
  let generation = open(interrupted?.journal ?? engine.runs.createJournal(id));
  const result = (async () => {
    for (;;) {
      try {
        const { run } = generation;
        return await (session === undefined ? executeRun(run) : executeInSession(run, session));
      } catch (error) {
        if (!(error instanceof RestartTree)) throw error;
        // Until the new generation exists, the old one's stop control takes stop requests.
        generation = await nextGeneration(generation, error, open);
        restart?.restarted();
      }
    }
  })().finally(() => places.leave()) as Promise<CompletionResult<T>>;
  return runHandle(id, result, {
    cancel: (reason) => generation.run.stop.cancel(reason),
    pause: (reason) => generation.run.stop.pause(reason),
    finish: (reason) => generation.run.stop.finish(reason),
    events: () => events.subscribe({ tree: true }),
  });
}

/** Runs in a session's REPL once it is this run's turn. */
async function executeInSession(run: OpenRun, { lease }: SessionLease): Promise<CompletionResult<unknown>> {
  if (run.problem !== undefined) return await executeRun(run);
  const leased = await lease(run.id, run.stop.hardSignal).catch((error: unknown) => ({ error }));
  if ('error' in leased) return await executeRun({ ...run, problem: leased });
  const { workspace, release } = leased;
  try {
    const result = await executeRun(run, { workspace });
    release(result);
    return result;
  } catch (error) {
    release(error instanceof CompletionError ? error : undefined);
    throw error;
  }
}

/** A run in a box: a promise of a bare run would wait for its result, because a run is awaited like a promise. */
export interface BoxedRun<T> {
  readonly run: CompletionRun<T>;
}

/**
 * The handle of a run that has to be read from a store first. It exists at once; stop requests reach the run as soon as it
 * has started.
 */
export function deferRun<T>(id: string, open: () => Promise<BoxedRun<T>>): CompletionRun<T> {
  const opened = open();
  const pass = (act: (run: CompletionRun<T>) => void): void => {
    opened.then(
      ({ run }) => act(run),
      () => undefined,
    );
  };
  return runHandle(
    id,
    opened.then(({ run }) => run),
    {
      cancel: (reason) => pass((run) => run.cancel(reason)),
      pause: (reason) => pass((run) => run.pause(reason)),
      finish: (reason) => pass((run) => run.finish(reason)),
      events: () => eventsOf(opened),
    },
  );
}

async function* eventsOf<T>(opened: Promise<BoxedRun<T>>): AsyncGenerator<RunEvent> {
  const boxed = await opened.catch(() => undefined);
  if (boxed !== undefined) yield* boxed.run;
}

interface HandleParts extends Pick<CompletionRun, 'cancel' | 'pause' | 'finish'> {
  readonly events: () => AsyncIterator<RunEvent>;
}

/** The handle of a run whose result is `result`. */
export function runHandle<T>(
  id: string,
  result: Promise<CompletionResult<T>>,
  { cancel, pause, finish, events }: HandleParts,
): CompletionRun<T> {
  // A caller who only watches the events sees a failure there; it must not end the process as an unhandled rejection.
  result.catch(() => undefined);
  return {
    ...{ id, cancel, pause, finish },
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited like one model call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
    catch: (rejected) => result.catch(rejected),
    finally: (settled) => result.finally(settled),
    [Symbol.asyncIterator]: events,
  };
}

/** A query and a context, kept apart. The other fields override the `Rlm`'s options for this completion. */
export interface CompletionRequest<T = string> {
  /** The question: a text that is not blank. */
  readonly query: string;
  /** Default: none; `context` is then `None` in the REPL. */
  readonly context?: ContextInput;
  /** Values to start with besides the context, by name: `seed["rows"]` in the REPL. Default: none. */
  readonly seed?: SeedValues;
  /** Files and texts that go with the question: the list `attachments` in the REPL. Default: none. */
  readonly attachments?: readonly Attachment[];
  /**
   * Types the answer: it is validated inside the loop, and the model repairs it. A `jsonSchema(…)` validates in a worker
   * thread; a schema of another library runs in this thread. Default: the answer is a text.
   */
  readonly output?: StandardSchemaV1<unknown, T>;
  /** Added to the system prompt, after the Rlm's own: rules of this task, its tone, its language. Default: none. */
  readonly instructions?: string;
  /** Over the Rlm's, one by one. Default: the Rlm's. */
  readonly limits?: Partial<Limits>;
  /** Tools and values for the cells; they replace the Rlm's. Default: the Rlm's. */
  readonly tools?: ToolSet;
  /** The root model. Default: the Rlm's. */
  readonly model?: ModelRef;
  /** The model of sub-calls, per depth from 1; the last one repeats. Default: the Rlm's; without one, the root model. */
  readonly subModel?: ModelRef | readonly ModelRef[];
  /** Settings for every model call; they replace the Rlm's. Default: the Rlm's. */
  readonly modelSettings?: ModelSettings;
  /** Whether one direct call may answer in place of the loop: `auto`, `always` or `direct`. Default `always`. */
  readonly mode?: RunMode;
  /**
   * `cite`: the answer has citations (document, place, quote), and code checks each against the context; the result has them as
   * `evidence` with a verdict. Default: none.
   */
  readonly evidence?: 'cite';
  /** Checks a typed answer by code: its issues are refused like misfits of `output`. A resumed run has none. Default: none. */
  readonly checks?: AnswerChecks<T>;
  /**
   * Asks so many times, 2 to 9, under one account, and takes the answer that most attempts give; a further run judges where none has
   * a majority. Default: once.
   */
  readonly consensus?: number;
  /** The backend and its options. Default: the Rlm's. */
  readonly repl?: ReplChoice;
  /** Aborting it has the effect of `run.cancel()`. */
  readonly signal?: AbortSignal;
  /** Who asked through a door, for the run's record. Default: the process itself. */
  readonly owner?: RunOwner;
}

const REQUEST_NAMES: OptionNames<CompletionRequest> = {
  ...{ query: true, context: true, output: true, limits: true, tools: true, model: true, subModel: true, repl: true },
  ...{
    instructions: true,
    seed: true,
    attachments: true,
    mode: true,
    evidence: true,
    checks: true,
    consensus: true,
    modelSettings: true,
    signal: true,
    owner: true,
  },
};

/** A request as it was given, and its error: the run that it starts rejects with that. */
export interface GivenRequest<T> {
  readonly request: CompletionRequest<T>;
  readonly problem: OpenRun['problem'];
}

/** Non-objects become `{}`, so that validation happens inside the run. */
export function givenRequest<T>(request: CompletionRequest<T>): GivenRequest<T> {
  if (!isObject(request)) return { request: {} as CompletionRequest<T>, problem: undefined };
  try {
    checkOptionNames('completion', request, REQUEST_NAMES);
    return { request, problem: undefined };
  } catch (error) {
    return { request, problem: { error } };
  }
}
