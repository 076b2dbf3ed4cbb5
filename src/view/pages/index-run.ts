import type { RunDocument } from '../run-document.ts';
import type { CallNode, CommandNode, RunNode } from '../run-node.ts';

/** A run of the tree, and where it was started. */
export interface RunEntry {
  readonly node: RunNode;
  /** The run and the command that started it; null for the root. */
  readonly parent: { readonly runId: string; readonly command: string } | null;
  /** Empty without one. */
  readonly answer: string;
}

/** A call of the tree, and where it was made. */
export interface CallEntry {
  readonly call: CallNode;
  readonly run: RunNode;
  readonly command: CommandNode;
  /** In its command, from 0. */
  readonly index: number;
}

/** A document with its runs and calls in order. Nothing is copied. */
export interface RunIndex {
  readonly document: RunDocument;
  /** Milliseconds since the Unix epoch: the moment that times are counted from. */
  readonly start: number;
  readonly runs: ReadonlyMap<string, RunEntry>;
  readonly runList: readonly RunEntry[];
  readonly calls: readonly CallEntry[];
}

/** Walks a tree once. */
export function indexRun(document: RunDocument): RunIndex {
  const runs = new Map<string, RunEntry>();
  const calls: CallEntry[] = [];
  const walk = (entry: RunEntry): void => {
    const { node } = entry;
    runs.set(node.runId, entry);
    for (const { commands } of node.turns) {
      for (const command of commands) {
        // The event of a child's end has the beginning of its answer; the reply of the call that started it has all of it.
        const replies = new Map<string, string>();
        command.calls.forEach((call, index) => {
          calls.push({ call, run: node, command, index });
          if (call.childRunId !== undefined) replies.set(call.childRunId, call.reply);
        });
        for (const child of command.children) {
          const answer = longer(child.end?.text ?? '', replies.get(child.runId) ?? '');
          walk({ node: child, parent: { runId: node.runId, command: command.id }, answer });
        }
      }
    }
  };
  walk({ node: document.tree, parent: null, answer: document.text ?? '' });
  return { document, start: startOf(document), runs, runList: [...runs.values()], calls };
}

function longer(a: string, b: string): string {
  return b.length > a.length ? b : a;
}

/** A run begins before its first event: its REPL is started first. After a pause its time of work says less than its event. */
function startOf({ tree, facts }: RunDocument): number {
  const { end, startedAt } = tree;
  const created = Date.parse(facts.createdAt);
  const begun = startedAt === '' ? created : Date.parse(startedAt);
  return Math.min(begun, end === null ? created : Date.parse(end.time) - end.elapsedMs);
}

/** Milliseconds from the start of the run; of a moment that is unknown those of `otherwise`. */
export function offset({ start }: RunIndex, time: string | undefined, otherwise = 0): number {
  const at = time === undefined || time === '' ? Number.NaN : Date.parse(time) - start;
  return Number.isNaN(at) ? otherwise : Math.max(0, at);
}

/** The sum of costs; null when one is unknown. */
export function sumUsd(costs: Iterable<number | null>): number | null {
  let sum = 0;
  for (const cost of costs) {
    if (cost === null) return null;
    sum += cost;
  }
  return sum;
}
