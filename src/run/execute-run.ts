import type { ReplPlace } from '../admission/repl-places.ts';
import { complete, type LoopEnd } from '../completion/complete.ts';
import type { TrajectoryRecorder } from '../completion/turn-record.ts';
import { defined } from '../defined.ts';
import { type BoundContext, bindContext, factsOf } from '../engine/bind-context.ts';
import { Conversation } from '../engine/conversation.ts';
import { RestartTree } from '../engine/restart.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { ChildOptions, OpenRun, Run } from '../engine/run.ts';
import { ShownImages } from '../engine/shown-images.ts';
import { openRunWorkspace, reportOpening, type Workspace } from '../engine/workspace.ts';
import { messageOf, type RlmError } from '../errors.ts';
import type { Route, RunStarted } from '../event/event.ts';
import { mayTakeImages } from '../model/image-rules.ts';
import { firstMessage, systemPrompt, traitsOf } from '../prompt/index.ts';
import { wasKilled } from '../repl/port.ts';
import { createCellHost } from '../subcall/cell-host.ts';
import { SubCallTally } from '../subcall/tally.ts';
import { bookRecovered, childLevels, openRun, prepareRun } from './open-run.ts';
import { RunOutcome } from './run-outcome.ts';

/** The parts of a run beside its request. */
export interface ExecuteOptions {
  /** A session's REPL. Default: one of the run's own, closed at its end. */
  readonly workspace?: Workspace;
  /** The models of a child or a replay. Default: those of the request. */
  readonly models?: Run['models'];
  /** Room for a child's REPL, released by its caller. */
  readonly place?: ReplPlace;
}

/**
 * Runs one completion from request to result, with exactly one `run.completed` on every path.
 *
 * @throws CompletionError when it failed or was cancelled, with everything gained so far; RestartTree, without a recorded
 *   end, when its tree has to be restarted
 */
export async function executeRun(open: OpenRun, options: ExecuteOptions = {}): Promise<CompletionResult<unknown>> {
  const outcome = new RunOutcome(open);
  try {
    const result = await runToEnd(open, outcome, options);
    await open.events.flush();
    return result;
  } catch (error) {
    // An error of the store at the end must not hide how the run ended.
    await open.events.flush().catch(() => undefined);
    throw error instanceof RestartTree || error instanceof CompletionError ? error : outcome.failed(error);
  }
}

/** Runs a child completion: the engine's `runChild`. */
export async function runChild(options: ChildOptions): Promise<CompletionResult<unknown>> {
  const { parent, request, models, child, place, signal } = options;
  const { engine, tree } = parent;
  const { runId, journal, resumed } = child;
  const log = resumed ? await engine.runs.reopenLog(runId) : undefined;
  const events = engine.openEvents({ runId, traceId: tree.id, parent, ...defined({ tail: log?.tail }) });
  // The root reports attempts in flight, once for the whole tree.
  if (log?.previous !== undefined) {
    const { recordedSteps } = journal;
    events.emit({ type: 'run.resumed', recordedSteps, possiblyBilled: 0, previous: log.previous });
  }
  return await executeRun(openRun({ engine, id: runId, request, journal, events, signal, parent }), { models, place });
}

async function runToEnd(
  open: OpenRun,
  outcome: RunOutcome,
  options: ExecuteOptions,
): Promise<CompletionResult<unknown>> {
  const { engine, events, parent } = open;
  // A child is stored with its root, and a replay stores nothing.
  const stored = parent === undefined && open.journal.unrecorded === 'run';
  let close = (): Promise<void> => Promise.resolve();
  let answered = false;
  try {
    reportResumed(open);
    const run = await prepareRun(open, options.models);
    outcome.prepared(run);
    // Earlier spending counts, however the run continues.
    await bookRecovered(run);
    run.stop.throwIfStopped();
    run.journal.onDiverged((divergence) => run.emit({ type: 'journal.diverged', ...divergence }));
    const direct = run.route === undefined ? undefined : await takeRoute(run, run.route, { outcome, stored });
    const end = await settled(run, direct?.end ?? (await loopInRepl(run, direct?.recorded === true)));
    if (events.failure !== undefined) throw events.failure;
    const result = outcome.ended(end);
    answered = end.kind === 'answered';
    if (stored) await engine.runs.end(run.id, { result, resumable: false });
    return result;
  } catch (error) {
    if (restartsTree(error, open)) throw error instanceof RestartTree ? error : new RestartTree(lossOf(error));
    const late = outcome.tooLate();
    if (late !== undefined) {
      const result = outcome.ended(late);
      if (stored) await engine.runs.end(result.runId, { result, resumable: false });
      return result;
    }
    const failure = outcome.failed(error);
    // A run whose end cannot be stored appears as interrupted.
    if (stored) await engine.runs.end(open.id, failure).catch(() => undefined);
    throw failure;
  } finally {
    open.ledger.close();
    const closing = close();
    (options.place ?? open.places)?.until(closing);
    // An answer does not wait for the end of its REPL; a caller who stopped the run waits until the REPL is gone.
    if (answered) closing.catch(() => undefined);
    else await closing;
  }

  async function loopInRepl(run: Run, before: boolean): Promise<LoopEnd> {
    const recorded = (await enterPlaces(run, outcome, before)) || before;
    loadProvider(run);
    const workspace = options.workspace ?? (await openRunWorkspace(run));
    if (options.workspace === undefined) close = () => workspace.close();
    const { backend, isolation } = workspace.repl.info;
    outcome.opened(isolation);
    if (stored && !recorded) await engine.runs.begin(run, backend);
    if (stored) outcome.stored();
    outcome.begun();
    return await loop(run, workspace, outcome.recorder);
  }
}

/** Loads the code of the root model's provider while the REPL starts. Where that fails, the first call fails with the error. */
function loadProvider({ depth, models }: Run): void {
  if (depth === 0)
    models
      .inUse(models.at(0))
      .prepare?.()
      .catch(() => undefined);
}

/** The end with the answer alone, and its checked evidence. */
async function settled(run: Run, end: LoopEnd): Promise<LoopEnd> {
  if (run.review === undefined) return end;
  const { value, text } = end.kind === 'answered' ? end.answer : end.best;
  const answer = await run.review.settle(value, text);
  if (answer.evidence !== undefined) run.emit({ type: 'evidence.checked', ...answer.evidence });
  return end.kind === 'answered'
    ? { ...end, answer: { ...end.answer, ...answer } }
    : { ...end, best: { ...end.best, ...answer } };
}

/** A run in mode `auto` or `direct`: its end, where one direct call answers it without a REPL and without room for one. */
async function takeRoute(
  run: Run,
  route: Route,
  { outcome, stored }: { readonly outcome: RunOutcome; readonly stored: boolean },
): Promise<{ readonly end?: LoopEnd; readonly recorded: boolean }> {
  const choose = (next: Route): void => {
    outcome.routed(next);
    run.emit({ type: 'route.chosen', ...next });
  };
  choose(route);
  if (route.chosen === 'loop') return { recorded: false };
  // Every backend can continue it.
  if (stored) await run.engine.runs.begin(run, 'auto');
  if (stored) outcome.stored();
  outcome.begun();
  const { answerDirectly } = await import('./direct-answer.ts');
  const answer = await answerDirectly(run);
  if ('because' in answer) {
    const { limit } = run.stop;
    if (limit !== undefined) {
      run.reportLimit(limit, 0);
      return { end: { kind: 'limit', limit, best: { value: undefined, text: '' } }, recorded: stored };
    }
    choose({ ...route, chosen: 'loop', reason: answer.because });
    return { recorded: stored };
  }
  const { isolation } = run.engine.defaults;
  reportStarted(run, { backend: 'none', isolation, contexts: factsOf(run) });
  return { end: { kind: 'answered', answer: answer.accepted }, recorded: stored };
}

/** Waits for room for the run's REPLs. True when the run was stored meanwhile, so that it is found if its process dies. */
async function enterPlaces(run: Run, outcome: RunOutcome, before: boolean): Promise<boolean> {
  const { engine, places, stop, limits } = run;
  let recorded = false;
  const { workSignal: signal } = stop;
  const onQueued = async (position: number): Promise<void> => {
    if (!before) await engine.runs.begin(run, await engine.backendName());
    recorded = true;
    outcome.stored();
    run.emit({ type: 'run.queued', position, maxRepls: engine.places.maxRepls });
  };
  try {
    await places?.enter({ levels: engine.childrenElsewhere ? 0 : childLevels(limits), signal, onQueued });
    return recorded;
  } catch (error) {
    stop.throwIfStopped();
    if (signal.aborted) outcome.stoppedInQueue();
    throw error;
  }
}

/** Its REPL, or that of a run below it, was killed from outside, and the run was not cancelled. */
function restartsTree(error: unknown, { stop, journal, tree }: OpenRun): boolean {
  if (stop.cancelled !== undefined) return false;
  if (error instanceof RestartTree) return true;
  return wasKilled(error) && tree.restart?.takes(`${journal.path} between commands`) === true;
}

function lossOf(error: unknown): { readonly reason: string } {
  const { reason } = (error as RlmError).data;
  return { reason: typeof reason === 'string' ? reason : messageOf(error) };
}

/** Binds the context and runs the loop on the workspace. */
async function loop(prepared: Run, workspace: Workspace, recorder: TrajectoryRecorder): Promise<LoopEnd> {
  const bound = bindContext(prepared, workspace);
  // The loop works on the contexts in force; the stored request has only its own.
  const run: Run = { ...prepared, contexts: bound.inForce.contexts };
  const tally = new SubCallTally();
  const images = new ShownImages();
  const host = createCellHost({ run, workspace, tally, images });
  const release = workspace.serve(host);
  const { repl, history } = workspace;
  try {
    reportOpening(run, 'loading the context');
    await workspace.bind(bound);
    history.addQuery(run.query);
    const { backend, isolation } = repl.info;
    reportStarted(run, { backend, isolation, contexts: bound.facts });
    const answers = { inspected: false, refusedNames: new Set<string>() };
    const conversation = await openConversation(run, workspace, bound);
    return await complete(conversation, { run, repl, history, host, tally, images, answers, recorder });
  } finally {
    release();
  }
}

async function openConversation(run: Run, { repl }: Workspace, { inForce }: BoundContext): Promise<Conversation> {
  const { limits, depth, contexts, seeds, attachments, toolbox, requireInspection, models } = run;
  const handed = [...seeds.values(), ...(attachments === undefined ? [] : [attachments])];
  const sub = models.inUse(models.at(depth + 1));
  // A server on this machine is asked for its window; a model of a provider's table has one.
  if (sub.local === true) await sub.prepare?.();
  const system = systemPrompt(
    {
      ...{ info: repl.info, limits, depth, requireInspection },
      contextNames: contexts.kind === 'named' ? inForce.names : [],
      tools: toolbox.bindings,
      values: Object.keys(toolbox.values),
      traits: traitsOf(contexts, handed),
      subModelTokens: sub.contextTokens,
      readsImages: mayTakeImages(models.inUse(models.at(depth))),
      outputSchema: run.answerType?.schemaText,
    },
    run.prompt,
  );
  return new Conversation(
    system,
    firstMessage({ query: run.query, ...inForce, contexts, seeds, ...defined({ attachments }), limits }),
  );
}

function reportStarted(run: Run, facts: Pick<RunStarted, 'backend' | 'isolation' | 'contexts'>): void {
  const { depth, models, query, sessionId, engine } = run;
  for (const fallback of depth === 0 ? models.fallbacks : []) run.emit({ type: 'subcall.fallback', ...fallback });
  const modelAt = (at: number): string => models.inUse(models.at(at)).id;
  run.emit({
    type: 'run.started',
    ...{ query, depth, ...facts },
    ...{ rootModel: modelAt(depth), subCallModel: modelAt(depth + 1) },
    ...defined({ sessionId, worker: engine.worker }),
  });
}

/** Emits that an interrupted run continues, before anything can end it again. */
function reportResumed({ events, parent, tree: { recovered }, resumed }: OpenRun): void {
  if (parent !== undefined || recovered === undefined || resumed?.queued === true) return;
  if (resumed === undefined && recovered.steps === 0 && recovered.attempts.length === 0) return;
  const possiblyBilled = recovered.attempts.filter((attempt) => attempt.inFlight).length;
  const before = resumed?.previous === undefined ? {} : { previous: resumed.previous };
  events.emit({ type: 'run.resumed', recordedSteps: recovered.steps, possiblyBilled, ...before });
}
