import { invalidOption } from './argument-checks.ts';
import type { Clock } from './clock.ts';
import type { ChildRunner, Engine, Run } from './engine/run.ts';
import { RlmError } from './errors.ts';
import type { RunEvent } from './event/event.ts';
import { type Model, ModelError, type ModelRef, resolveModel } from './model/index.ts';
import { abortRun } from './resume/abort-run.ts';
import { describeRequest } from './resume/run-request.ts';
import { openRun, prepareRun } from './run/open-run.ts';
import type { CompletionRequest } from './run/run-handle.ts';
import { followRun, type RunRecord, type Store, type StoredContext } from './store/index.ts';

/** A run that a worker owns. It continues when this process ends. */
export interface SubmittedRun extends AsyncIterable<RunEvent> {
  readonly id: string;
  /** Its record once it has ended, or was paused. @throws RlmError `store-failure` */
  ended(): Promise<RunRecord>;
  /** Asks its worker to stop it; resolves when that is stored. A run that no worker has yet ends at once. */
  cancel(reason?: string): Promise<void>;
  /** Asks its worker for the best answer now. */
  finish(reason?: string): Promise<void>;
}

/** The parts of an `Rlm` that a submission needs. */
export interface SubmitParts {
  readonly engine: Engine;
  readonly store: Store;
  readonly cluster: ChildRunner | undefined;
  readonly clock: Clock;
}

/**
 * Stores a run and hands it to the workers of the cluster, which share the store. Its request is checked here; files of its context are
 * copied into the store.
 *
 * @throws RlmError as a completion would; `invalid-option` for what cannot travel: tools, checks, a policy, projections
 */
export async function submitRun(request: CompletionRequest<unknown>, parts: SubmitParts): Promise<SubmittedRun> {
  const { store, cluster, clock } = parts;
  const engine = withoutKeys(parts.engine);
  if (cluster === undefined || store.location === 'memory')
    throw invalidOption('A run is submitted through the options cluster and store: its worker needs both');
  checkTravels(request, engine);
  const { signal: _, repl: __, ...rest } = request;
  const id = engine.newId();
  const events = engine.openEvents({ runId: id, traceId: id, onlyTo: () => undefined });
  const journal = engine.runs.createJournal(id).root;
  const open = openRun({ engine, id, journal, events, signal: undefined, request: rest });
  try {
    const run = await prepareRun(open);
    await store.runs.put(await queuedRecord(run, { store, clock }));
    await store.flush();
  } finally {
    open.ledger.close();
  }
  await cluster.queueRun(id);
  return submitted(id, { store, clock });
}

async function queuedRecord(
  run: Run,
  { store, clock }: { readonly store: Store; readonly clock: Clock },
): Promise<RunRecord> {
  const at = new Date(clock.now()).toISOString();
  const { id } = run;
  const { owner = { door: 'worker', name: 'submitted', detached: true } } = run.request;
  const recorded = await describeRequest(run, { store, backend: 'auto', copyFiles: true });
  checkContexts(recorded.contexts);
  return { id, traceId: id, depth: 0, status: 'queued', createdAt: at, updatedAt: at, owner, request: recorded };
}

/** The submitter may have ended when the run needs it. */
function checkTravels({ tools, checks, consensus }: CompletionRequest<unknown>, { defaults }: Engine): void {
  const left = [
    ...(Object.keys(tools ?? defaults.tools).length > 0 ? ['tools'] : []),
    ...(checks === undefined ? [] : ['checks']),
    ...(consensus === undefined ? [] : ['consensus']),
    ...(defaults.policy === undefined ? [] : ['policy']),
  ];
  if (left.length === 0) return;
  throw new RlmError({
    code: 'invalid-option',
    message: `A submitted run takes no ${left.join(', no ')}: its worker has only what the store holds. Leave that out, or start a completion, whose children run on workers.`,
    userAction: true,
    data: { options: left },
  });
}

function checkContexts(stored: readonly StoredContext[]): void {
  if (!stored.some(({ kind }) => kind === 'projected')) return;
  throw invalidOption('A submitted run takes no projected context: it lives in the process that has it');
}

/** Keys of providers are those of the workers: nothing is sent from here. */
function withoutKeys(engine: Engine): Engine {
  const resolve = async (ref: ModelRef): Promise<Model> => {
    try {
      return await engine.resolveModel(ref);
    } catch (error) {
      if (!ModelError.isInstance(error) || error.code !== 'missing-key') throw error;
      const { variable } = error.data as { readonly variable?: string };
      if (variable === undefined || process.env[variable] !== undefined) throw error;
      return resolveModel(ref, { env: { ...process.env, [variable]: 'the-workers-own' } });
    }
  };
  return { ...engine, resolveModel: resolve };
}

function submitted(id: string, { store, clock }: { readonly store: Store; readonly clock: Clock }): SubmittedRun {
  const follow = (): ReturnType<typeof followRun> => followRun(store, { runId: id, patient: true });
  return {
    id,
    async ended() {
      const events = follow();
      for (;;) {
        const next = await events.next();
        if (next.done !== true) continue;
        if (next.value === undefined) throw gone(id, store);
        return next.value;
      }
    },
    async cancel(reason = 'cancelled by the submitter') {
      // A worker that takes the run meanwhile finds the request.
      await store.stops.put(id, { action: 'cancel', reason });
      await abortRun(id, { store, clock, reason }).then(() => store.stops.delete(id), ignoreIfElsewhere);
    },
    async finish(reason = 'the submitter asked for the best answer now') {
      await store.stops.put(id, { action: 'finish', reason });
    },
    [Symbol.asyncIterator]: follow,
  };
}

/** It runs on a worker, or has ended. */
function ignoreIfElsewhere(error: unknown): void {
  if (!RlmError.isInstance(error) || (error.code !== 'run-locked' && error.code !== 'invalid-option')) throw error;
}

function gone(runId: string, { location }: Store): RlmError {
  const message = `There is no run ${runId} in the store (${location}) any more.`;
  return new RlmError({ code: 'run-not-found', message, userAction: true, data: { runId } });
}
