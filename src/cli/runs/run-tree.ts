import type { RunEvent } from '../../event/event.ts';
import { figuresOf, type RunFigures, type RunLog } from '../../resume/run-logs.ts';

/** A run as its events report it: the object that `fathom runs show --json` prints. */
export interface RunNode {
  readonly runId: string;
  readonly query: string;
  readonly depth: number;
  readonly rootModel: string;
  readonly subCallModel: string;
  readonly backend: string;
  readonly isolation: string;
  readonly contexts: Started['contexts'];
  /** Null while it has not ended. */
  readonly end: {
    readonly outcome: string;
    readonly stop: string;
    readonly reason?: string;
    readonly elapsedMs: number;
  } | null;
  /** Of the run and all below it. */
  readonly figures: RunFigures;
  readonly turns: readonly TurnNode[];
}

export interface TurnNode {
  readonly number: number;
  readonly reply: string;
  /** Null while the turn runs. */
  readonly durationMs: number | null;
  readonly commands: readonly CommandNode[];
  readonly rejected: readonly { readonly code: string; readonly message: string }[];
}

export interface CommandNode {
  readonly id: string;
  readonly command: Parsed['command'];
  /** Null while the command runs, and for final answers, which are not cells. */
  readonly ok: boolean | null;
  readonly durationMs: number | null;
  readonly shown: string;
  readonly error?: { readonly type: string; readonly message: string };
  readonly timedOut: boolean;
  readonly subCalls: number;
  readonly failedSubCalls: number;
  readonly children: readonly RunNode[];
}

type Started = Extract<RunEvent, { type: 'run.started' }>;
type Parsed = Extract<RunEvent, { type: 'command.parsed' }>;
type Completed = Extract<RunEvent, { type: 'cell.completed' }>;

/** Builds the tree of a run from the events of it and its children. */
export function runTree(log: RunLog): RunNode {
  const { events } = log;
  const started = events.find((event) => event.type === 'run.started');
  const end = events.findLast((event) => event.type === 'run.completed');
  const cells = new Map(events.flatMap((event) => (event.type === 'cell.completed' ? [[event.id, event]] : [])));
  const commands = new Map<number, CommandNode[]>();
  const rejected = new Map<number, TurnNode['rejected'][number][]>();
  for (const event of events) {
    if (event.type === 'command.parsed') {
      push(commands, event.turn, commandNode(event, cells.get(event.id), log));
    } else if (event.type === 'command.rejected' && event.code !== 'after-final') {
      push(rejected, event.turn, { code: event.code, message: event.message });
    }
  }
  const ended = new Map(events.flatMap((event) => (event.type === 'turn.completed' ? [[event.turn, event]] : [])));
  return {
    runId: log.runId,
    query: started?.query ?? '',
    depth: started?.depth ?? 0,
    rootModel: started?.rootModel ?? '',
    subCallModel: started?.subCallModel ?? '',
    backend: started?.backend ?? '',
    isolation: started?.isolation ?? '',
    contexts: started?.contexts ?? [],
    end: end === undefined ? null : endOf(end),
    figures: figuresOf(log),
    turns: events.flatMap((event) =>
      event.type === 'model.replied'
        ? [
            {
              number: event.turn,
              reply: event.text,
              durationMs: ended.get(event.turn)?.durationMs ?? null,
              commands: commands.get(event.turn) ?? [],
              rejected: rejected.get(event.turn) ?? [],
            },
          ]
        : [],
    ),
  };
}

function commandNode(parsed: Parsed, cell: Completed | undefined, { events, children }: RunLog): CommandNode {
  const { id, command } = parsed;
  const own = events.filter((event) => event.type === 'subcall.started' && event.commandId === id);
  return {
    id,
    command,
    ok: cell?.ok ?? null,
    durationMs: cell?.durationMs ?? null,
    shown: cell?.shown ?? '',
    ...(cell?.error !== undefined && { error: cell.error }),
    timedOut: cell?.timedOut ?? false,
    subCalls: cell?.subCalls ?? own.length,
    failedSubCalls: cell?.failedSubCalls ?? 0,
    children: children.filter(({ commandId }) => commandId === id).map(runTree),
  };
}

function endOf({ outcome, stop, reason, elapsedMs }: Extract<RunEvent, { type: 'run.completed' }>): RunNode['end'] {
  return { outcome, stop, ...(reason !== undefined && { reason }), elapsedMs };
}

function push<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
