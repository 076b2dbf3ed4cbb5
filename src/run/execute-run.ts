import type { ReplPlace, TreePlaces } from '../admission/tree-places.ts';
import { complete, type LoopEnd } from '../completion/complete.ts';
import { Conversation } from '../completion/conversation.ts';
import type { TrajectoryRecorder } from '../completion/trajectory-recorder.ts';
import { TurnLimits } from '../completion/turn-limits.ts';
import { RestartTree } from '../engine/restart-tree.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { RunContext } from '../engine/run.ts';
import { openWorkspace, type Workspace } from '../engine/workspace.ts';
import { messageOf, type RlmError } from '../errors.ts';
import type { RunResumed } from '../event/event.ts';
import { firstMessage, systemPrompt } from '../prompt/index.ts';
import { wasKilled } from '../repl/channel/index.ts';
import { SubCallTally } from '../subcall/tally.ts';
import { type BoundContext, bindContext } from './bind-context.ts';
import { bookRecovered, recallEarlier } from './book-recovered.ts';
import { hostFor } from './host.ts';
import { childLevels, type PreparedRun, type PrepareOptions, prepareRun } from './open-run.ts';
import { RunStanding } from './run-outcome.ts';

/** How one run is started. */
export interface StartOptions extends Omit<PrepareOptions, 'places'> {
  /** A session's REPL. Default: one of the run's own, closed at its end. */
  readonly workspace?: Workspace | undefined;
  /** The session whose REPL it is. */
  readonly sessionId?: string | undefined;
  /** Where its REPL has its place: given back by who started the run. */
  readonly place?: ReplPlace;
  /** The places of a root run: waited for before its REPL opens. */
  readonly places?: TreePlaces;
  /** How an interrupted run had ended, when it could still say so. */
  readonly previous?: RunResumed['previous'] | undefined;
  /** The run was interrupted: it may have waited for a REPL all the time. */
  readonly interrupted?: boolean;
  /** When the run began, if it has begun again since. */
  readonly startedAt?: number;
  /** What was found wrong with the request before the run could start. */
  readonly problem?: unknown;
}

/**
 * Runs one completion from request to result, with exactly one `run.completed` on every path.
 *
 * @throws CompletionError when it failed or was cancelled, with everything gained so far; RestartTree, and no end of it is
 *   told, when its tree has to be done again in new REPLs
 */
export async function runCompletion(options: StartOptions): Promise<CompletionResult<unknown>> {
  const { events } = options;
  const standing = new RunStanding(options);
  try {
    const result = await runToItsEnd(options, standing);
    await events.flush();
    return result;
  } catch (error) {
    // What the store could not take at the end must not hide what there was to tell.
    await events.flush().catch(() => undefined);
    throw error instanceof RestartTree || error instanceof CompletionError ? error : standing.failed(error);
  }
}

async function runToItsEnd(options: StartOptions, standing: RunStanding): Promise<CompletionResult<unknown>> {
  const { engine, events, frame } = options;
  let close = (): Promise<void> => Promise.resolve();
  let answered = false;
  try {
    tellResumed(options);
    if (options.problem !== undefined) throw options.problem;
    const prepared = await prepareRun(options);
    const { run } = prepared;
    standing.prepared(run);
    // What was spent before counts whatever comes now.
    if (options.recovered !== undefined) await bookRecovered(run, options.recovered);
    if (options.parent?.recovered !== undefined) await recallEarlier(run, options.parent.recovered);
    run.stop.throwIfStopped();
    run.journal.onDiverged((divergence) => run.emit({ type: 'journal.diverged', ...divergence }));
    const { places } = options;
    const recorded = places !== undefined && (await enterPlaces(options, { run, standing, places }));
    const workspace =
      options.workspace ??
      (await openWorkspace((host) => engine.openRepl({ host, limits: run.limits, signal: run.stop.hardSignal })));
    if (options.workspace === undefined) close = () => workspace.close();
    standing.opened(workspace.repl.info.isolation);
    if (run.depth === 0 && !recorded)
      await engine.keeper.begin(run, { backend: workspace.repl.info.backend, sessionId: options.sessionId });
    standing.begun();
    const end = await work({ options, prepared, workspace, recorder: standing.recorder });
    if (events.failure !== undefined) throw events.failure;
    const result = standing.ended(end);
    answered = end.kind === 'answered';
    if (run.depth === 0) await engine.keeper.end(run.id, { result, resumable: false });
    return result;
  } catch (error) {
    if (restartsTree(error, options)) throw error instanceof RestartTree ? error : new RestartTree(lossOf(error));
    const late = standing.tooLate();
    if (late !== undefined) {
      const result = standing.ended(late);
      if (options.parent === undefined) await engine.keeper.end(result.runId, { result, resumable: false });
      return result;
    }
    const failure = standing.failed(error);
    // A run whose end cannot be written down is found interrupted.
    if (options.parent === undefined) await engine.keeper.end(options.identity.runId, failure).catch(() => undefined);
    throw failure;
  } finally {
    frame.ledger.close();
    const closing = close();
    (options.place ?? options.places)?.until(closing);
    // An answer need not wait for its REPL's end; whoever stopped a run wants to know it gone.
    if (answered) closing.catch(() => undefined);
    else await closing;
  }
}

/** Its REPL, or that of a run below it, was killed from outside, and nobody has stopped it. */
function restartsTree(error: unknown, { frame, journal, parent, restart }: StartOptions): boolean {
  if (frame.stop.cancelled !== undefined) return false;
  if (error instanceof RestartTree) return true;
  const tree = parent === undefined ? restart : parent.restart;
  return wasKilled(error) && tree?.takes(`${journal.path} between commands`) === true;
}

function lossOf(error: unknown): { readonly reason: string } {
  const { reason } = (error as RlmError).data;
  return { reason: typeof reason === 'string' ? reason : messageOf(error) };
}

interface Entering {
  readonly run: RunContext;
  readonly standing: RunStanding;
  readonly places: TreePlaces;
}

/** Waits for room for the run's REPLs. One that waits is put on record, so that it is found interrupted when its process dies. */
async function enterPlaces({ engine, sessionId }: StartOptions, { run, standing, places }: Entering): Promise<boolean> {
  let recorded = false;
  const { workSignal: signal } = run.stop;
  const onQueued = async (position: number): Promise<void> => {
    await engine.keeper.begin(run, { backend: await engine.backendName(), sessionId });
    recorded = true;
    run.emit({ type: 'run.queued', position, maxRepls: engine.places.maxRepls });
  };
  try {
    await places.enter({ levels: childLevels(run.limits), signal, onQueued });
    return recorded;
  } catch (error) {
    run.stop.throwIfStopped();
    if (signal.aborted) standing.stoppedInQueue();
    throw error;
  }
}

interface Work {
  readonly options: StartOptions;
  readonly prepared: PreparedRun;
  readonly workspace: Workspace;
  readonly recorder: TrajectoryRecorder;
}

async function work(given: Work): Promise<LoopEnd> {
  const { prepared, workspace, recorder } = given;
  const bound = bindContext(prepared.run, workspace);
  // The loop works on what is in force; what is kept of the run is what it was asked for.
  const run: RunContext = { ...prepared.run, contexts: bound.inForce.contexts };
  const tally = new SubCallTally();
  const { engine, identity } = given.options;
  const host = hostFor({
    engine,
    identity,
    prepared,
    workspace,
    tally,
  });
  const release = workspace.serve(host);
  try {
    await workspace.repl.bind(bound.bindings);
    workspace.setContextsInForce(bound.inForce);
    workspace.history.addQuery(run.query);
    started(given, bound);
    const { repl, history } = workspace;
    return await complete(openConversation(given, run, bound), {
      run,
      repl,
      history,
      host,
      tally,
      limits: new TurnLimits(run.limits),
      answers: { inspected: false, refusedNames: new Set() },
      recorder,
    });
  } finally {
    release();
  }
}

function openConversation({ workspace }: Work, run: RunContext, { inForce }: BoundContext): Conversation {
  const system = systemPrompt(
    {
      info: workspace.repl.info,
      limits: run.limits,
      depth: run.depth,
      contextNames: run.contexts.kind === 'named' ? inForce.names : [],
      tools: run.toolbox.bindings,
      values: Object.keys(run.toolbox.values),
      outputSchema: run.answerType?.schemaText,
      requireInspection: run.requireInspection,
    },
    run.prompt,
  );
  return new Conversation(system, firstMessage(run.query, run.contexts, inForce.names));
}

function started({ prepared: { run }, workspace }: Work, bound: BoundContext): void {
  for (const fallback of run.depth === 0 ? run.models.fallbacks : [])
    run.emit({ type: 'subcall.fallback', ...fallback });
  const modelAt = (depth: number): string => run.models.inUse(run.models.at(depth)).id;
  run.emit({
    type: 'run.started',
    query: run.query,
    depth: run.depth,
    contexts: bound.facts,
    rootModel: modelAt(run.depth),
    subCallModel: modelAt(run.depth + 1),
    backend: workspace.repl.info.backend,
    isolation: workspace.repl.info.isolation,
  });
}

/** Tells that an interrupted run goes on; whatever hinders it then is an end of its own. */
function tellResumed({ events, recovered, previous, interrupted = false }: StartOptions): void {
  if (recovered === undefined) return;
  if (!interrupted && recovered.steps === 0 && recovered.attempts.length === 0 && previous === undefined) return;
  const possiblyBilled = recovered.attempts.filter((attempt) => attempt.inFlight).length;
  const before = previous === undefined ? {} : { previous };
  events.emit({ type: 'run.resumed', recordedSteps: recovered.steps, possiblyBilled, ...before });
}
