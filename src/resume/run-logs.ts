import { subCallsIn } from '../event/call-events.ts';
import type { EventBody, RunEvent } from '../event/event.ts';
import { type JournalCall, journalCalls, journalChildren } from '../journal/index.ts';
import type { Store } from '../store/index.ts';

export type { JournalCall } from '../journal/index.ts';

/** The stored events of a run and of the runs its cells started. */
export interface RunLog {
  readonly runId: string;
  readonly events: readonly RunEvent[];
  /** The calls its cells made, from the journal. */
  readonly calls: readonly JournalCall[];
  readonly children: readonly ChildLog[];
}

/** A child with the command that started it, e.g. `t3.0`. */
export interface ChildLog extends RunLog {
  readonly commandId: string;
}

/** Reads the events of a tree of runs, also while it runs or is interrupted. @throws RlmError `store-failure` */
export async function readRunLogs(store: Store, runId: string): Promise<RunLog> {
  // The journal knows a child from its first moment, events only once it has ended.
  const entries = await store.journal.read(runId);
  const children = journalChildren(entries);
  const calls = Map.groupBy(journalCalls(entries), ({ scope }) => scope);
  const read = async (id: string, scope: string): Promise<RunLog> => ({
    runId: id,
    events: await store.events.read(id),
    calls: calls.get(scope) ?? [],
    children: await Promise.all(
      children
        .filter((child) => child.scope === scope)
        .map(async ({ runId: childId, key, command }) => ({ ...(await read(childId, key)), commandId: command })),
    ),
  });
  return await read(runId, '');
}

/** The figures of a run and all runs below it so far. */
export interface RunFigures {
  /** Turns of the run itself. */
  readonly turns: number;
  readonly subCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  /** Model round trips. */
  readonly calls: number;
}

export const NO_FIGURES: RunFigures = { turns: 0, subCalls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0, calls: 0 };

/** The log of a run as far as its figures need it. */
interface Figured {
  readonly events: readonly EventBody[];
  readonly children: readonly Figured[];
}

/** Adds up the events of a run and of all runs below it. */
export function figuresOf(log: Figured): RunFigures {
  const own = log.events.map(figuresIn).reduce(addFigures, NO_FIGURES);
  return log.children.map((child) => ({ ...figuresOf(child), turns: 0 })).reduce(addFigures, own);
}

function figuresIn(event: EventBody): RunFigures {
  if (event.type !== 'usage.recorded')
    return { ...NO_FIGURES, turns: event.type === 'model.replied' ? 1 : 0, subCalls: subCallsIn(event) };
  const { inputTokens, outputTokens, costUsd } = event;
  return { ...NO_FIGURES, inputTokens, outputTokens, costUsd, calls: 1 };
}

export function addFigures(a: RunFigures, b: RunFigures): RunFigures {
  return {
    turns: a.turns + b.turns,
    subCalls: a.subCalls + b.subCalls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd === null || b.costUsd === null ? null : a.costUsd + b.costUsd,
    calls: a.calls + b.calls,
  };
}
