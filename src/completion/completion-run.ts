import type { EventBus } from '../event/bus.ts';
import type { RunEvent } from '../event/event.ts';
import type { ReopenedLog } from '../event/reopen.ts';
import type { Journal } from '../journal/index.ts';
import type { Engine } from './engine.ts';
import { openFrame, type RunFrame } from './frame.ts';
import type { RunRequest } from './prepare-run.ts';
import { CompletionError, type CompletionResult } from './result.ts';
import { runCompletion } from './run-completion.ts';
import type { Workspace } from './workspace.ts';

/**
 * A completion that has started: a promise of its result, and an iterable of its events and those of its children, from
 * the first on.
 */
export interface CompletionRun<T = string> extends PromiseLike<CompletionResult<T>>, AsyncIterable<RunEvent> {
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
  const { engine, request, signal, lease, interrupted } = options;
  const id = interrupted?.runId ?? engine.newId();
  const identity = { runId: id, parentRunId: undefined, traceId: id };
  const events = engine.openEvents(identity, interrupted === undefined ? {} : { tail: interrupted.log.tail });
  const journal = interrupted?.journal ?? engine.keeper.journal(id);
  const { recovered } = journal;
  const { frame, problem } = frameOf({ engine, request, events, signal, elapsedMs: recovered.elapsedMs });
  const start = {
    engine,
    request,
    identity,
    events,
    parent: undefined,
    frame,
    journal: journal.root,
    recovered,
    previous: interrupted?.log.previous,
  };
  const result = (async () => {
    if (lease === undefined || problem !== undefined) return await runCompletion({ ...start, problem });
    const leased = await lease(id, frame.stop.hardSignal).catch((error: unknown) => ({ error }));
    if ('error' in leased) return await runCompletion({ ...start, problem: leased.error });
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
  })() as Promise<CompletionResult<T>>;
  // Whoever only watches the events learns of a failure there; it must not end the process as unhandled.
  result.catch(() => undefined);
  return {
    id,
    cancel: (reason) => frame.stop.cancel(reason),
    finish: (reason) => frame.stop.finish(reason),
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited like one model call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
    [Symbol.asyncIterator]: () => events.subscribe({ tree: true }),
  };
}

interface FrameRequest {
  readonly engine: Engine;
  readonly request: RunRequest;
  readonly events: EventBus;
  readonly signal: AbortSignal | undefined;
  readonly elapsedMs: number;
}

/** Wrong limits reject the run like everything else that is wrong with a request, with a frame to reject from. */
function frameOf({ request, ...rest }: FrameRequest): {
  readonly frame: RunFrame;
  readonly problem?: unknown;
} {
  try {
    return { frame: openFrame({ ...rest, limits: request.limits, parent: undefined }) };
  } catch (problem) {
    return { frame: openFrame({ ...rest, limits: undefined, parent: undefined }), problem };
  }
}
