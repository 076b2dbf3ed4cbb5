/**
 * The timeline as rows of equal height: turns, cells, calls in flight, children.
 *
 * @module
 */
import { counted } from '../../../src/cli/screen/figures.ts';
import type { BesideLine, CallLine, CommandView, RunLine, TurnView } from '../data/source.ts';

export interface Bar {
  readonly kind: 'start' | 'model' | 'code' | 'wait' | 'calls' | 'child';
  readonly at: number;
  readonly ms: number;
}

export interface TimeRow {
  readonly key: string;
  readonly kind: 'start' | 'turn' | 'beside' | 'cell' | 'calls' | 'child';
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
  /** Milliseconds of the whole timeline. */
  readonly span: number;
}

/** The rows of a tree; children that are not open have one. */
export function timeRows(input: TimeInput): readonly TimeRow[] {
  const ms = input.runs.get(input.root)?.at ?? 0;
  const start: TimeRow = {
    ...{ key: `${input.root}/start`, kind: 'start', level: 0, name: 'Start', failed: false, costUsd: null, ms },
    bars: [{ kind: 'start', at: 0, ms }],
    waits: 'The REPL was started and the context was loaded',
  };
  const turns = runRows(input, input.root, 0);
  return ms < 1 ? turns : [start, ...turns];
}

/** The turns of a run, and the model round trips beside them, in the order of time. */
function runRows(input: TimeInput, run: string, level: number): readonly TimeRow[] {
  const besides = (input.runs.get(run)?.besides ?? []).map(({ purpose, at, ms, costUsd }) => ({
    at,
    rows: [
      {
        ...{ key: `${run}/${purpose}${at}`, kind: 'beside', level, name: BESIDES[purpose], failed: false },
        ...{ bars: [{ kind: 'model', at, ms }], costUsd, ms },
      } satisfies TimeRow,
    ],
  }));
  const turns = (input.turnsOf(run) ?? []).map((turn) => ({ at: turn.at, rows: turnRows(input, turn, level) }));
  const all: { readonly at: number; readonly rows: readonly TimeRow[] }[] = [...besides, ...turns];
  return all.toSorted((a, b) => a.at - b.at).flatMap(({ rows }) => rows);
}

const BESIDES: Readonly<Record<BesideLine['purpose'], string>> = {
  ...{ direct: 'Direct call', final: 'Last call', summary: 'Summary' },
};

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
      bars: [{ kind: 'code', at, ms: ms ?? 0 }, ...waitBars(calls, { at, ms: ms ?? 0, span: input.span })],
    },
  ];
  if (flat.length > 0) {
    rows.push({
      ...{
        key: `${key}/calls`,
        kind: 'calls',
        level: level + 2,
        name: callsWords(flat),
        bars: [],
        calls: flat,
      },
      ...{ costUsd: children.length > 0 ? sum(flat) : callsUsd, ms: spanOf(flat), waits: waitWords(id, flat) },
      failed: flat.some((call) => call.ok === false),
    });
  }
  return [...rows, ...children.flatMap((child) => childRows(input, child, level + 2))];
}

/** Gaps below this part of the timeline cannot be seen. */
const SHORTEST_PARTS = 400;

/** The times in which a cell waits for its calls and children, as few bars as can be seen. */
function waitBars(calls: readonly CallLine[], cell: { at: number; ms: number; span: number }): readonly Bar[] {
  const end = cell.at + cell.ms;
  const bars: { readonly kind: 'wait'; readonly at: number; ms: number }[] = [];
  for (const { at, ms } of calls.toSorted((a, b) => a.at - b.at)) {
    const [from, to] = [Math.max(at, cell.at), Math.min(at + (ms ?? 0), end)];
    const last = bars.at(-1);
    if (to <= from) continue;
    if (last === undefined || from - last.at - last.ms > cell.span / SHORTEST_PARTS)
      bars.push({ kind: 'wait', at: from, ms: to - from });
    else last.ms = Math.max(last.ms, to - last.at);
  }
  return bars;
}

/** `82 sub-calls, 32 at once`. */
function callsWords(calls: readonly CallLine[]): string {
  const { count } = lanesOf(calls);
  return `${counted(calls.length, 'sub-call')}${count > 1 ? `, ${count} at once` : ''}`;
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
  return [own, ...runRows(input, id, level + 1)];
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

interface Lanes {
  readonly lanes: Int32Array;
  readonly count: number;
}

const KNOWN_LANES = new WeakMap<readonly CallLine[], Lanes>();

/** Lanes in which no two calls overlap, by the order of their starts; and how many there are. */
export function lanesOf(calls: readonly CallLine[]): Lanes {
  const known = KNOWN_LANES.get(calls) ?? findLanes(calls);
  KNOWN_LANES.set(calls, known);
  return known;
}

function findLanes(calls: readonly CallLine[]): Lanes {
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
