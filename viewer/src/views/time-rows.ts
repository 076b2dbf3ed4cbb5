/**
 * The timeline as rows of equal height: turns, cells, calls in flight, children.
 *
 * @module
 */
import { counted } from '../../../src/cli/screen/figures.ts';
import type { CallLine, CommandView, RunLine, TurnView } from '../data/source.ts';

export interface Bar {
  readonly kind: 'start' | 'model' | 'code' | 'calls' | 'child';
  readonly at: number;
  readonly ms: number;
}

export interface TimeRow {
  readonly key: string;
  readonly kind: 'start' | 'turn' | 'cell' | 'calls' | 'child';
  readonly level: number;
  readonly name: string;
  readonly bars: readonly Bar[];
  readonly costUsd: number | null;
  readonly ms: number | null;
  readonly failed: boolean;
  /** Of a row of calls. */
  readonly calls?: readonly CallLine[];
  /** Of a child: its id. */
  readonly run?: string;
  readonly isOpen?: boolean;
  /** A sentence about waiting. */
  readonly waits?: string;
}

export interface TimeInput {
  readonly root: string;
  readonly runs: ReadonlyMap<string, RunLine>;
  readonly turnsOf: (run: string) => readonly TurnView[] | null;
  readonly callsOf: ReadonlyMap<string, readonly CallLine[]>;
  readonly open: ReadonlySet<string>;
}

/** The rows of a tree; children that are not open have one. */
export function timeRows(input: TimeInput): readonly TimeRow[] {
  const ms = input.runs.get(input.root)?.at ?? 0;
  const start: TimeRow = {
    ...{ key: `${input.root}/start`, kind: 'start', level: 0, name: 'Start', failed: false, costUsd: null, ms },
    bars: [{ kind: 'start', at: 0, ms }],
    waits: 'The REPL was started and the context was loaded',
  };
  const turns = (input.turnsOf(input.root) ?? []).flatMap((turn) => turnRows(input, turn, 0));
  return ms < 1 ? turns : [start, ...turns];
}

function turnRows(input: TimeInput, turn: TurnView, level: number): readonly TimeRow[] {
  const commands = turn.parts.flatMap((part) =>
    part.kind === 'command' && part.command.ms !== null ? [part.command] : [],
  );
  const own: TimeRow = {
    ...{ key: turn.key, kind: 'turn', level, name: `Turn ${turn.number}`, failed: false },
    bars: [{ kind: 'model', at: turn.at, ms: turn.modelMs }],
    ...{ costUsd: turn.usage.costUsd, ms: turn.modelMs },
  };
  return [own, ...commands.flatMap((command) => cellRows(input, command, level))];
}

function cellRows(input: TimeInput, command: CommandView, level: number): readonly TimeRow[] {
  const { key, id, at, ms, ok, callsUsd, children } = command;
  const calls = input.callsOf.get(key) ?? [];
  const flat = calls.filter(({ child }) => child === null);
  const rows: TimeRow[] = [
    {
      ...{ key, kind: 'cell', level: level + 1, name: id, failed: ok === false, costUsd: null, ms },
      bars: [{ kind: 'code', at, ms: ms ?? 0 }],
    },
  ];
  if (flat.length > 0) {
    rows.push({
      ...{
        key: `${key}/calls`,
        kind: 'calls',
        level: level + 2,
        name: counted(flat.length, 'sub-call'),
        bars: [],
        calls: flat,
      },
      ...{ costUsd: children.length > 0 ? sum(flat) : callsUsd, ms: spanOf(flat), waits: waitWords(id, flat) },
      failed: flat.some((call) => call.ok === false),
    });
  }
  return [...rows, ...children.flatMap((child) => childRows(input, child, level + 2))];
}

function sum(calls: readonly CallLine[]): number | null {
  return calls.reduce<number | null>(
    (all, { costUsd }) => (all === null || costUsd === null ? null : all + costUsd),
    0,
  );
}

function childRows(input: TimeInput, id: string, level: number): readonly TimeRow[] {
  const line = input.runs.get(id);
  if (line === undefined) return [];
  const isOpen = input.open.has(id);
  const own: TimeRow = {
    ...{ key: id, kind: 'child', level, name: line.query.text, run: id, isOpen, costUsd: line.costUsd, ms: line.ms },
    bars: [{ kind: 'child', at: line.at, ms: line.ms ?? 0 }],
    failed: line.outcome === 'failed',
  };
  if (!isOpen) return [own];
  return [own, ...(input.turnsOf(id) ?? []).flatMap((turn) => turnRows(input, turn, level))];
}

/** Milliseconds from the first call to the end of the last. */
function spanOf(calls: readonly CallLine[]): number {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for (const { at, ms } of calls) {
    from = Math.min(from, at);
    to = Math.max(to, at + (ms ?? 0));
  }
  return Math.max(0, to - from);
}

/** Lanes in which no two calls overlap, by the order of their starts; and how many there are. */
export function lanesOf(calls: readonly CallLine[]): { readonly lanes: Int32Array; readonly count: number } {
  const order = calls.map((_, index) => index).sort((a, b) => (calls[a]?.at ?? 0) - (calls[b]?.at ?? 0));
  const lanes = new Int32Array(calls.length);
  const free: number[] = [];
  // Ends of the calls in flight, soonest first.
  const inFlight: { readonly end: number; readonly lane: number }[] = [];
  let count = 0;
  for (const index of order) {
    const { at = 0, ms = 0 } = calls[index] ?? {};
    while (inFlight[0] !== undefined && inFlight[0].end <= at) free.push(inFlight.shift()?.lane ?? 0);
    const lane = free.pop() ?? count++;
    lanes[index] = lane;
    insert(inFlight, { end: at + (ms ?? 0), lane });
  }
  return { lanes, count };
}

function insert(
  sorted: { readonly end: number; readonly lane: number }[],
  item: { readonly end: number; readonly lane: number },
): void {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.end ?? 0) <= item.end) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, item);
}

function waitWords(id: string, calls: readonly CallLine[]): string {
  const { count } = lanesOf(calls);
  const slowest = calls.reduce((most, { ms }) => Math.max(most, ms ?? 0), 0);
  return `${id} waited for ${counted(calls.length, 'call')}, at most ${count} at once; the slowest took ${Math.round(slowest)} ms`;
}
