import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import { CompletionError, type ResultBase } from '../engine/result.ts';
import type { Workspace } from '../engine/workspace.ts';
import { createEventBus } from '../event/bus.ts';
import { type JournalScope, openJournal } from '../journal/index.ts';
import { type Limits, recordedLimits } from '../limits.ts';
import { abortRun } from '../resume/abort-run.ts';
import { statusOf } from '../resume/keeper.ts';
import { notRecorded, recordedResolver, silent } from '../resume/recorded-models.ts';
import { loadStored } from '../resume/stored-context.ts';
import { runCompletion } from '../run/execute-run.ts';
import { openFrame } from '../run/frame.ts';
import type { Store } from '../store/index.ts';
import type { LiveSession } from './live-session.ts';
import type { Operated } from './operator.ts';
import type { ExecuteOptions } from './session.ts';
import { type LoggedOperation, sessionLog } from './session-log.ts';
import type { SessionModels } from './session-models.ts';

/** What bringing a session back needs. */
export interface ReplayOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly models: SessionModels;
}

/** Does everything again that the session's log holds; calls that were paid for are answered from the journals. */
export async function replaySession(session: LiveSession, options: ReplayOptions): Promise<void> {
  for (const logged of await sessionLog(options.store, session.id).read()) {
    await session.replay(() => redo(session, logged, options));
  }
}

async function redo(session: LiveSession, logged: LoggedOperation, options: ReplayOptions): Promise<void> {
  const { operator, workspace } = session.parts;
  const { operation } = logged;
  switch (operation.op) {
    case 'execute': {
      const { code, models } = operation;
      const { engine } = options;
      const under = { recorded: models, ended: logged.end !== undefined, engine };
      const execute = (timed: ExecuteOptions): Promise<Operated<unknown>> =>
        options.models.during(under, () => operator.execute(code, timed));
      return await redoCommand(session, logged, { kind: 'cell', source: code, run: execute });
    }
    case 'bash': {
      const { command } = operation;
      const bash = (timed: ExecuteOptions): Promise<Operated<unknown>> => operator.bash(command, timed);
      return await redoCommand(session, logged, { kind: 'bash', source: command, run: bash });
    }
    case 'set':
      return await workspace.repl.setVariable(operation.name, operation.value);
    case 'snapshot':
      await workspace.repl.snapshot(operation.name);
      return;
    case 'rollback':
      return await workspace.repl.rollback(operation.name);
    case 'delete-snapshot':
      return await workspace.repl.deleteSnapshot(operation.name);
    case 'completion':
      return await redoCompletion(session, operation.runId, options);
  }
}

/** Milliseconds. An interrupt that comes before a cell has well begun kills its REPL, and takes back what the cell did. */
const SHORTEST_MS = 100;

interface RedoCommand {
  readonly kind: 'cell' | 'bash';
  readonly source: string;
  readonly run: (options: ExecuteOptions) => Promise<Operated<unknown>>;
}

/** A command again: as far as it came when it was cut, and not at all where the REPL had to be restarted for it. */
async function redoCommand(session: LiveSession, { end }: LoggedOperation, command: RedoCommand): Promise<void> {
  const { operator, log } = session.parts;
  if (end?.restarted === true) return operator.leaveOut(command.kind, command.source, end);
  const timed = end?.cut === true ? { timeoutMs: Math.max(SHORTEST_MS, Math.ceil(end.durationMs)) } : {};
  const done = await command.run(timed);
  if (end !== undefined) return operator.tookAtFirst(end.durationMs);
  // It was under way when its process died: now it has an end.
  await log.ended(done.end);
}

/**
 * A completion's cells on the session's REPL, as far as they are recorded. Nothing is asked of a model: where the record
 * ends, the completion ends.
 */
async function redoCompletion(session: LiveSession, runId: string, options: ReplayOptions): Promise<void> {
  const { store, clock, engine, models } = options;
  const record = await store.runs.get(runId);
  if (record === undefined) return;
  const journal = await openJournal({ journalId: runId, store, clock });
  const { request } = record;
  const identity = { runId, parentRunId: undefined, traceId: runId };
  // These events were told when they happened.
  const events = createEventBus({ runId, traceId: runId, clock });
  const resolve = recordedResolver(request, { own: models, resolveModel: engine.resolveModel });
  const quiet: Engine = {
    ...engine,
    // Children make their calls by themselves: their models ask nobody either.
    resolveModel: async (ref) => silent(await resolve(ref)),
    defaults: { ...engine.defaults, limits: withoutCost(engine.defaults.limits) },
    openEvents: (child) => createEventBus({ runId: child.runId, traceId: runId, clock }),
    keeper: NOTHING_KEPT,
  };
  const limits = withoutCost(recordedLimits(request.limits));
  const frame = openFrame({ engine: quiet, limits, events, parent: undefined, signal: undefined });
  const { subModels } = request;
  const start = {
    engine: quiet,
    request: {
      query: request.query,
      context: await loadStored(request.contexts, store),
      limits,
      tools: session.parts.terms.tools,
      model: request.rootModel,
      subModel: subModels.length === 0 ? undefined : subModels,
    },
    identity,
    events,
    parent: undefined,
    frame,
    journal: journal.root,
    recovered: journal.recovered,
    sessionId: session.id,
  };
  const workspace = recordedCells(session.parts.workspace, journal.root);
  const { usage } = await runCompletion({ ...start, workspace, callModel: recordEnds }).catch(gainedBy);
  session.addUsage(usage);
  if (record.status !== 'running' && statusOf(record) !== 'interrupted') return;
  await abortRun(runId, { store, clock, reason: 'its process died, and its session went on without it' });
}

/** Nothing is spent in a replay, and what the price of a model is now is not what it was. */
function withoutCost<L extends Partial<Limits>>(limits: L): L {
  return { ...limits, maxCostUsd: undefined };
}

function gainedBy(error: unknown): ResultBase {
  if (error instanceof CompletionError) return error.result;
  throw error;
}

/** The workspace for a replay: a cell whose end is not recorded was cut, and is not run again. */
function recordedCells(workspace: Workspace, journal: JournalScope): Workspace {
  const { repl } = workspace;
  const recorded = <T>(handle: string, run: () => Promise<T>): Promise<T> =>
    journal.recordedCommand(handle) === undefined ? recordEnds() : run();
  return {
    ...workspace,
    repl: {
      info: repl.info,
      bind: (bindings) => repl.bind(bindings),
      execute: (cell) => recorded(cell.handle, () => repl.execute(cell)),
      bash: (command) => recorded(command.handle, () => repl.bash(command)),
      answer: (lookup, signal) => repl.answer(lookup, signal),
      draft: () => repl.draft(),
      variables: () => repl.variables(),
      getVariable: (name) => repl.getVariable(name),
      setVariable: (name, value) => repl.setVariable(name, value),
      snapshot: (name) => repl.snapshot(name),
      rollback: (name) => repl.rollback(name),
      deleteSnapshot: (name) => repl.deleteSnapshot(name),
      snapshots: () => repl.snapshots(),
      close: () => repl.close(),
    },
  };
}

const NOTHING_KEPT: Engine['keeper'] = {
  journal: () => {
    throw new TypeError('a replay starts no tree of its own');
  },
  reopenJournal: () => Promise.reject(new TypeError('a replay does not begin again')),
  reopen: () => Promise.resolve({ tail: { lastSeq: 0, identities: [] } }),
  begin: () => Promise.resolve(),
  end: () => Promise.resolve(),
};

function recordEnds(): Promise<never> {
  return Promise.reject(notRecorded());
}
