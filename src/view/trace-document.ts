import { invalidOption } from '../argument-checks.ts';
import type { RunEvent } from '../event/event.ts';
import type { ChildLog, RunLog } from '../resume/run-logs.ts';
import { runTree } from './build-tree.ts';
import type { RunDocument } from './run-document.ts';
import type { RunNode } from './run-node.ts';

/**
 * A run from a file of events (`--trace`, `jsonlSink`). Events hold no prompts and replies of sub-calls: of these only
 * their figures are known.
 *
 * @throws RlmError `invalid-option` where no event starts a run
 */
export function traceDocument(events: readonly RunEvent[], name: string): RunDocument {
  const byRun = Map.groupBy(events, ({ runId }) => runId);
  const [rootId] = [...byRun].find(([, [first]]) => first?.parentRunId === undefined) ?? [];
  if (rootId === undefined) throw invalidOption(`${name} holds no event of a run that was not started by another`);
  const log = logOf(rootId, byRun, new Set());
  const tree = runTree(log);
  const [first, last] = [log.events[0], log.events.at(-1)];
  const status = tree.end === null ? 'interrupted' : STATUS_OF[tree.end.outcome];
  const { turns, subCalls, inputTokens, outputTokens, costUsd } = tree.figures;
  return {
    ...{ format: 'fathom-run', version: 1, origin: 'fathom' },
    facts: {
      ...{
        id: rootId,
        status: status ?? 'completed',
        outcome: tree.end?.outcome ?? null,
        stop: tree.end?.stop ?? null,
      },
      ...(tree.end?.reason !== undefined && { reason: tree.end.reason }),
      ...{ createdAt: first?.time ?? '', updatedAt: last?.time ?? '', turns, subCalls, inputTokens, outputTokens },
      ...{ costUsd, elapsedMs: tree.end?.elapsedMs ?? null, model: tree.rootModel, query: tree.query },
    },
    ...{ text: tree.end?.text ?? null, subModels: [tree.subCallModel].filter((model) => model !== ''), limits: {} },
    tree,
    leftOut: leftOut(tree),
  };
}

function leftOut({ end }: RunNode): string {
  const calls = 'the prompts and replies of sub-calls, which a file of events does not hold';
  if (end?.text === undefined || end.textChars === undefined) return calls;
  return `${calls}; the answer behind its first ${end.text.length.toLocaleString('en')} of ${end.textChars.toLocaleString('en')} characters`;
}

const STATUS_OF: Readonly<Record<string, RunDocument['facts']['status']>> = { failed: 'failed', aborted: 'aborted' };

type EventsByRun = ReadonlyMap<string, readonly RunEvent[]>;

function logOf(runId: string, byRun: EventsByRun, above: ReadonlySet<string>): RunLog {
  const events = byRun.get(runId) ?? [];
  const commands = new Map(
    events.flatMap((event) => (event.type === 'subcall.started' ? [[event.callId, event.commandId]] : [])),
  );
  const path = new Set([...above, runId]);
  const children = events.flatMap((event): ChildLog[] => {
    if (event.type !== 'subcall.completed' || event.childRunId === undefined || path.has(event.childRunId)) return [];
    return [{ ...logOf(event.childRunId, byRun, path), commandId: commands.get(event.callId) ?? '' }];
  });
  return { runId, events, calls: [], children };
}
