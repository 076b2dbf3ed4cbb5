import { runPlaces } from '../admission/tree-places.ts';
import { checkSignal } from '../argument-checks.ts';
import type { Engine } from '../engine/engine.ts';
import { RestartPolicy } from '../engine/restart-policy.ts';
import { RestartTree } from '../engine/restart-tree.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { StopControl } from '../engine/stop-control.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { EventBus } from '../event/bus.ts';
import type { RunEvent } from '../event/event.ts';
import type { ReopenedLog } from '../event/reopen.ts';
import type { Journal } from '../journal/index.ts';
import { runCompletion, type StartOptions } from './execute-run.ts';
import { openFrame, type RunFrame } from './frame.ts';
import type { RunRequest } from './open-run.ts';

/**
 * A completion that has started: a promise of its result, and an iterable of its events and those of its children, from
 * the first on.
 */
export interface CompletionRun<T = string> extends PromiseLike<CompletionResult<T>>, AsyncIterable<RunEvent> {
  /** A ULID, the `runId` of its result and events. */
  readonly id: string;
  /** Stop now: rejects with what was gained. */
  cancel(reason?: string): void;
  /** Best answer now: outcome `exhausted`, stop `finish-requested`. */
  finish(reason?: string): void;
}

/** A session's REPL for the time of one completion. */
export interface WorkspaceLease {
  readonly workspace: Workspace;
  readonly sessionId: string;
  /** Called once, with how the completion ended. */
  readonly release: (end: CompletionResult<unknown> | CompletionError | undefined) => void;
}

export interface StartRunOptions {
  readonly engine: Engine;
  readonly request: RunRequest;
  readonly signal: AbortSignal | undefined;
  /** The run goes on where it was interrupted. */
  readonly interrupted?: { readonly runId: string; readonly journal: Journal; readonly log: ReopenedLog };
  /** Waits for a session's REPL until it is this run's turn. Default: a REPL of its own. */
  readonly lease?: (runId: string, signal: AbortSignal) => Promise<WorkspaceLease>;
}

/** Starts a completion at once. Whatever is wrong with the request rejects the run. */
export function startRun<T>(options: StartRunOptions): CompletionRun<T> {
  const { engine, request, lease, interrupted } = options;
  const id = interrupted?.runId ?? engine.newId();
  const identity = { runId: id, parentRunId: undefined, traceId: id };
  const events = engine.openEvents(identity, interrupted === undefined ? {} : { tail: interrupted.log.tail });
  const journal = interrupted?.journal ?? engine.keeper.journal(id);
  const restart = lease === undefined ? new RestartPolicy() : undefined;
  const places = runPlaces({
    places: engine.places,
    inSession: lease !== undefined,
    refusable: interrupted === undefined,
  });
  let life = bornOf(options, events, journal);
  const start = {
    ...{ engine, request, identity, events, parent: undefined, restart, places },
    previous: interrupted?.log.previous,
    interrupted: interrupted !== undefined,
    startedAt: engine.clock.now(),
  };
  const live = (): Promise<CompletionResult<unknown>> => {
    const { frame, journal, problem } = life;
    const lived = { ...start, frame, journal: journal.root, recovered: journal.recovered };
    if (lease === undefined || problem !== undefined) return runCompletion({ ...lived, problem });
    return inSession(lease, lived);
  };
  const result = (async () => {
    for (;;) {
      try {
        return await live();
      } catch (error) {
        if (!(error instanceof RestartTree)) throw error;
        // The old life's stop control hears of requests to stop until the new one is there.
        const ended = { events, journal: life.journal, id, error };
        const next = await bornAgain(options, ended).catch((problem: unknown) => ({ ...life, problem }));
        passOn(life.frame.stop, next.frame.stop);
        life = next;
        restart?.restarted();
      }
    }
  })().finally(() => places.leave()) as Promise<CompletionResult<T>>;
  // Whoever only watches the events learns of a failure there; it must not end the process as unhandled.
  result.catch(() => undefined);
  return {
    id,
    cancel: (reason) => life.frame.stop.cancel(reason),
    finish: (reason) => life.frame.stop.finish(reason),
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited like one model call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
    [Symbol.asyncIterator]: () => events.subscribe({ tree: true }),
  };
}

/** One go at a run: it has several when its REPLs are killed. */
interface Life {
  readonly frame: RunFrame;
  readonly journal: Journal;
  readonly problem?: unknown;
}

function bornOf({ engine, request, signal }: StartRunOptions, events: EventBus, journal: Journal): Life {
  const { elapsedMs } = journal.recovered;
  return { journal, ...frameOf({ engine, request, events, signal, elapsedMs }) };
}

interface Ended {
  readonly id: string;
  readonly events: EventBus;
  readonly journal: Journal;
  readonly error: RestartTree;
}

/** The same run from its journal: what was done is done again in a new REPL, and nothing is told or paid twice. */
async function bornAgain(options: StartRunOptions, { id, events, journal, error }: Ended): Promise<Life> {
  const { keeper } = options.engine;
  events.emit({ type: 'repl.restarted', reason: error.reason, lost: FROM_JOURNAL });
  await Promise.all([events.flush(), journal.flush()]);
  const { tail } = await keeper.reopen(id);
  events.beginAgain(tail);
  return bornOf(options, events, await keeper.reopenJournal(id));
}

const FROM_JOURNAL = 'the run does its cells again in a new REPL, with every answer it has paid for';

/** Requests to stop that came while the run was between two lives. */
function passOn(from: StopControl, to: StopControl): void {
  if (from.cancelled !== undefined) to.cancel(from.cancelled);
  if (from.limit?.stop === 'finish-requested') to.finish(from.limit.reason);
}

/** Runs in a session's REPL once it is this run's turn. */
async function inSession(
  lease: NonNullable<StartRunOptions['lease']>,
  start: StartOptions,
): Promise<CompletionResult<unknown>> {
  const leased = await lease(start.identity.runId, start.frame.stop.hardSignal).catch((problem: unknown) => ({
    problem,
  }));
  if ('problem' in leased) return await runCompletion({ ...start, problem: leased.problem });
  const { workspace, sessionId, release } = leased;
  return await runCompletion({ ...start, workspace, sessionId }).then(
    (ended) => {
      release(ended);
      return ended;
    },
    (error: unknown) => {
      release(error instanceof CompletionError ? error : undefined);
      throw error;
    },
  );
}

interface FrameRequest {
  readonly engine: Engine;
  readonly request: RunRequest;
  readonly events: EventBus;
  readonly signal: AbortSignal | undefined;
  readonly elapsedMs: number;
}

/** Wrong limits or a wrong signal reject the run like everything else that is wrong with a request, with a frame to reject from. */
function frameOf({ request, ...rest }: FrameRequest): {
  readonly frame: RunFrame;
  readonly problem?: unknown;
} {
  try {
    checkSignal(rest.signal);
    return { frame: openFrame({ ...rest, limits: request.limits, parent: undefined }) };
  } catch (problem) {
    return { frame: openFrame({ ...rest, signal: undefined, limits: undefined, parent: undefined }), problem };
  }
}
