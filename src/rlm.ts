import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ulid } from 'ulid';
import type { PlaceFigures } from './admission/repl-places.ts';
import { checkRlmOptions } from './check-rlm-options.ts';
import { createEngines } from './create-engine.ts';
import { checkOptionNames, type OptionNames } from './option-names.ts';
import type { ReplChoice } from './repl/select.ts';
import type { ResolveFile } from './resume/file-reference.ts';
import { readInterrupted } from './resume/resume-run.ts';
import type { RlmOptions } from './rlm-options.ts';
import { type MapRequest, type MapRun, mapRuns } from './run/map-runs.ts';
import {
  type BoxedRun,
  type CompletionRequest,
  type CompletionRun,
  deferRun,
  givenRequest,
  startRun,
} from './run/run-handle.ts';
import type { RunPlan } from './run/run-plan.ts';
import type { SharedBudget } from './run/shared-budget.ts';
import type { OpenSessionOptions, Session, SessionOptions } from './session/session.ts';
import { rlmClosed } from './session/session-state.ts';
import { Sessions } from './session/sessions.ts';
import type { SubmittedRun } from './submit-run.ts';

/** Options of `rlm.resume`. */
export interface ResumeOptions<T = unknown> {
  readonly signal?: AbortSignal;
  /**
   * The answer's schema, as the run was started with. Default: the recorded JSON Schema, whose answer is a plain value; a schema
   * library's transforms are not in it.
   */
  readonly output?: StandardSchemaV1<unknown, T>;
  /** Finds files of the context that are not where they were when the run began. Their content has to be the same. */
  readonly resolveFile?: ResolveFile;
}

const RESUME_OPTIONS: OptionNames<ResumeOptions> = { signal: true, output: true, resolveFile: true };

/** How full an `Rlm` is. */
export interface RlmStatus extends PlaceFigures {
  /** Runs that were started here and have not ended, waiting ones included. Sessions' runs do not count. */
  readonly runs: number;
}

/** A Recursive Language Model: to its caller it looks like one model call over a context of any size. */
export interface Rlm extends AsyncDisposable {
  /**
   * Starts a completion at once; await it for the result, iterate it for its events. It rejects with a `CompletionError`
   * when it failed or was cancelled, also for a request that cannot be right.
   */
  completion<T = string>(request: CompletionRequest<T>): CompletionRun<T>;
  /** Its route, models and costs, before it is run. Nothing is sent or stored, no REPL opened. @throws RlmError as the run would */
  plan(request: CompletionRequest<unknown>): Promise<RunPlan>;
  /**
   * One question over many contexts, or many questions over one, each in a run of its own, under one account. A run that fails is
   * an item of the result. It rejects for a request that cannot be right.
   */
  map<T = string>(request: MapRequest<T>): MapRun<T>;
  /**
   * Resumes a run that was interrupted or paused, without paying again for recorded calls. It rejects like a
   * completion, with `run-not-found` or `invalid-option` where there is nothing to resume.
   */
  resume<T = unknown>(runId: string, options?: ResumeOptions<T>): CompletionRun<T>;
  /**
   * Hands a completion to the workers of the options `cluster` and `store`: one of them owns it, and another one continues it where
   * that one ends. It needs `fathom worker --store` on the same store.
   *
   * @throws RlmError for a request that cannot be right, or that needs this process (tools, checks, projections)
   */
  submit(request: CompletionRequest<unknown>): Promise<SubmittedRun>;
  /** A REPL that lives across completions. @throws RlmError `invalid-option`, `invalid-limit`, `isolation-unavailable`, `repl-failure` */
  createSession(options?: SessionOptions): Promise<Session>;
  /**
   * Opens a session of the store: the same REPL where this process has it, else one restored by replaying its log.
   * Differences from the record are in `session.status().diverged`. If the session is open in this process, `options`
   * change nothing.
   *
   * @throws RlmError `session-not-found`, `session-closed`, `session-expired`, `session-locked` when another process has it,
   *   `context-invalid` for a context that it does not have
   */
  openSession(id: string, options?: OpenSessionOptions): Promise<Session>;
  /** How full it is, now: the figures that refusals name. */
  status(): RlmStatus;
  /** Cancels what runs and frees what is shared: spare REPLs, processes, connections. */
  close(): Promise<void>;
}

/**
 * Creates an `Rlm`. It owns what its completions share; one serves any number of completions at once, and nothing idle
 * keeps the process alive.
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5' });
 * const { answer } = await rlm.completion({ query: 'Who wrote the letter in chapter 3?', context: fromFile('novel.txt') });
 * ```
 * @throws RlmError `invalid-limit`, `invalid-tool-name`, `reserved-name`, `invalid-option` for options that cannot be right
 */
export function createRlm(options: RlmOptions): Rlm {
  checkRlmOptions(options);
  const { engineFor, backends, store, clock, places, defaults, resolveModel } = createEngines(options);
  const running = new Set<CompletionRun<unknown>>();
  let closed: Promise<void> | undefined;
  const sessions = new Sessions({ store, clock, engineFor });

  return {
    completion<T>(request: CompletionRequest<T>): CompletionRun<T> {
      const given = givenRequest(request);
      const { signal, repl, consensus, ...rest } = given.request;
      if (consensus !== undefined && given.problem === undefined) return track(askSeveral(given.request));
      return track(startRun<T>({ engine: engineFor(repl), request: rest, signal, problem: given.problem }));
    },
    async plan(request) {
      if (closed !== undefined) throw rlmClosed();
      const { planRun } = await import('./run/plan.ts');
      return await planRun(request, { engine: engineFor(), runs: store.runs });
    },
    map<T>(request: MapRequest<T>): MapRun<T> {
      return mapRuns<T>(request, {
        clock,
        limits: defaults.limits,
        maxRuns: places.maxRepls,
        start: startShared,
      });
    },
    resume<T>(runId: string, given: ResumeOptions<T> = {}): CompletionRun<T> {
      return track(deferRun<T>(runId, () => resumeRun<T>(runId, given)));
    },
    async submit(request) {
      if (closed !== undefined) throw rlmClosed();
      const given = givenRequest(request);
      if (given.problem !== undefined) throw given.problem.error;
      const { submitRun } = await import('./submit-run.ts');
      return await submitRun(given.request, { engine: engineFor(), store, clock, cluster: options.cluster });
    },
    createSession: (sessionOptions) => sessions.create(sessionOptions),
    openSession: (id, openOptions) => sessions.open(id, openOptions),
    status: () => ({ ...places.figures, runs: running.size }),
    close,
    [Symbol.asyncDispose]: close,
  };

  function startShared<T>({ signal, repl, ...rest }: CompletionRequest<T>, budget: SharedBudget): CompletionRun<T> {
    return track(startRun<T>({ engine: engineFor(repl), request: rest, signal, budget }));
  }

  /** The code of consensus is loaded where a request asks for it. */
  function askSeveral<T>(request: CompletionRequest<T>): CompletionRun<T> {
    const parts = { clock, limits: defaults.limits, newId: ulid, start: startShared };
    return deferRun<T>(ulid(), async () => {
      const { consensusRun } = await import('./run/consensus.ts');
      return { run: consensusRun(request, parts) };
    });
  }

  /** Remembers a run until it ends, so that closing can cancel it. */
  function track<T>(run: CompletionRun<T>): CompletionRun<T> {
    if (closed !== undefined) {
      run.cancel('the Rlm is closed');
      return run;
    }
    running.add(run);
    const done = (): unknown => running.delete(run);
    run.then(done, done);
    return run;
  }

  async function resumeRun<T>(runId: string, given: ResumeOptions<T>): Promise<BoxedRun<T>> {
    const { signal, output, resolveFile } = given;
    if (closed !== undefined) throw rlmClosed();
    checkOptionNames('resume', given, RESUME_OPTIONS);
    const { request, backend, ...recorded } = await readInterrupted(runId, {
      store,
      output,
      clock,
      defaults,
      resolveModel,
      resolveFile,
    });
    const engine = engineFor(options.repl ?? (backend as ReplChoice));
    return { run: startRun<T>({ engine, request, signal, interrupted: { runId, ...recorded } }) };
  }

  function close(): Promise<void> {
    closed ??= free();
    return closed;
  }

  async function free(): Promise<void> {
    const runs = [...running];
    for (const run of runs) run.cancel('the Rlm was closed');
    await Promise.allSettled(runs);
    await sessions.detachAll();
    await backends.close();
    if (options.store === undefined) await store.close();
    else await store.flush();
  }
}
