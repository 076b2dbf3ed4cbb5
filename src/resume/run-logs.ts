import { subCallsIn } from '../event/call-events.ts';
import type { RunEvent } from '../event/event.ts';
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

/** Adds up the events of a run and of all runs below it. */
export function figuresOf(log: RunLog): RunFigures {
  let turns = 0;
  let subCalls = 0;
  let inputTokens = 0;
  let outputTokens = 0;
  let calls = 0;
  let costUsd: number | null = 0;
  for (const event of log.events) {
    if (event.type === 'model.replied') turns++;
    subCalls += subCallsIn(event);
    if (event.type !== 'usage.recorded') continue;
    calls++;
    inputTokens += event.inputTokens;
    outputTokens += event.outputTokens;
    costUsd = add(costUsd, event.costUsd);
  }
  for (const child of log.children.map(figuresOf)) {
    subCalls += child.subCalls;
    calls += child.calls;
    inputTokens += child.inputTokens;
    outputTokens += child.outputTokens;
    costUsd = add(costUsd, child.costUsd);
  }
  return { turns, subCalls, inputTokens, outputTokens, costUsd, calls };
}

function add(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
