import type { Clock } from '../clock.ts';
import type { Engine } from '../completion/engine.ts';
import { openFrame } from '../completion/frame.ts';
import { runCompletion } from '../completion/run-completion.ts';
import { RlmError } from '../errors.ts';
import { createEventBus } from '../event/bus.ts';
import { openJournal } from '../journal/index.ts';
import { loadStored } from '../resume/stored-context.ts';
import type { Store } from '../store/index.ts';
import type { LiveSession } from './live-session.ts';
import { type SessionOperation, sessionLog } from './session-log.ts';

/** What bringing a session back needs. */
export interface ReplayOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly engine: Engine;
}

/** Does everything again that the session's log holds; calls that were paid for are answered from the journals. */
export async function replaySession(session: LiveSession, options: ReplayOptions): Promise<void> {
  for (const operation of await sessionLog(options.store, session.id).read()) {
    await session.replay(() => redo(session, operation, options));
  }
}

async function redo(session: LiveSession, operation: SessionOperation, options: ReplayOptions): Promise<unknown> {
  const { operator, workspace } = session.parts;
  switch (operation.op) {
    case 'execute':
      return await operator.execute(operation.code, {});
    case 'bash':
      return await operator.bash(operation.command, {});
    case 'set':
      return await workspace.repl.setVariable(operation.name, operation.value);
    case 'snapshot':
      return await workspace.repl.snapshot(operation.name);
    case 'rollback':
      return await workspace.repl.rollback(operation.name);
    case 'delete-snapshot':
      return await workspace.repl.deleteSnapshot(operation.name);
    case 'completion':
      return await redoCompletion(session, operation.runId, options);
  }
}

/**
 * A completion's cells on the session's REPL, as far as they are recorded. Nothing is asked of a model: where the record
 * ends, the completion ends.
 */
async function redoCompletion(
  session: LiveSession,
  runId: string,
  { store, clock, engine }: ReplayOptions,
): Promise<void> {
  const record = await store.runs.get(runId);
  if (record === undefined) return;
  const journal = await openJournal({ journalId: runId, store, clock });
  const identity = { runId, parentRunId: undefined, traceId: runId };
  // These events were told when they happened.
  const events = createEventBus({ runId, traceId: runId, clock });
  const quiet: Engine = {
    ...engine,
    openEvents: (child) => createEventBus({ runId: child.runId, traceId: runId, clock }),
    keeper: NOTHING_KEPT,
  };
  const frame = openFrame({
    engine: quiet,
    limits: record.request.limits,
    events,
    parent: undefined,
    signal: undefined,
  });
  const { tools } = session.parts.terms;
  const request = {
    query: record.request.query,
    context: await loadStored(record.request.contexts, store),
    limits: record.request.limits,
    tools,
  };
  const start = {
    engine: quiet,
    request,
    identity,
    events,
    parent: undefined,
    frame,
    journal: journal.root,
    sessionId: session.id,
  };
  await runCompletion({ ...start, workspace: session.parts.workspace, callModel: recordEnds });
}

const NOTHING_KEPT: Engine['keeper'] = {
  journal: () => {
    throw new TypeError('a replay starts no tree of its own');
  },
  reopen: () => Promise.resolve({ tail: { lastSeq: 0, identities: [] } }),
  begin: () => Promise.resolve(),
  end: () => Promise.resolve(),
};

function recordEnds(): Promise<never> {
  return Promise.reject(new RlmError({ code: 'cancelled', message: 'The record of this completion ends here.' }));
}
