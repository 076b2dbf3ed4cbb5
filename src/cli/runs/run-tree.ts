import type { RunEvent } from '../../event/event.ts';
import { figuresOf, type JournalCall, type RunFigures, type RunLog } from '../../resume/run-logs.ts';

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
  /** The sub-calls, in the order in which they were asked for. */
  readonly calls: readonly CallNode[];
  readonly children: readonly RunNode[];
}

/** A sub-call, as the store has it. */
export interface CallNode {
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  /** Null in the records of versions that did not keep prompts, and for a call that was refused at once. */
  readonly messages: readonly { readonly role: string; readonly content: string }[] | null;
  /** Null while it is under way, and when the run was stopped before it ended. */
  readonly ok: boolean | null;
  /** Empty when it failed. */
  readonly reply: string;
  readonly reasoning?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly durationMs: number | null;
  /** Model round trips, retries included; 0 for a child and for a call that was not sent. */
  readonly attempts: number;
  readonly childRunId?: string;
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
    // A direct answer had no REPL.
    isolation: started === undefined || started.backend === 'none' ? '' : started.isolation,
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

function commandNode(parsed: Parsed, cell: Completed | undefined, log: RunLog): CommandNode {
  const { events, children } = log;
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
    calls: callsOf(id, log),
    children: children.filter(({ commandId }) => commandId === id).map(runTree),
  };
}

/** Calls of a command: those of the journal, then those that were refused before the journal knew them. */
function callsOf(id: string, { events, calls }: RunLog): readonly CallNode[] {
  const own = calls.filter(({ command }) => command === id);
  const known = new Set(own.map(({ asked }) => asked?.callId));
  const begun = new Set(
    events.flatMap((event) => (event.type === 'subcall.started' && event.commandId === id ? [event.callId] : [])),
  );
  const refused = events.flatMap((event) =>
    event.type === 'subcall.completed' && !event.ok && begun.has(event.callId) && !known.has(event.callId)
      ? [refusedNode(event)]
      : [],
  );
  // Records of old versions do not say which call of the journal an event means.
  return [...own.map(callNode), ...(known.has(undefined) ? [] : refused)];
}

function callNode({ model, asked, attempts, result, durationMs, childRunId, key }: JournalCall): CallNode {
  const { inputTokens = 0, outputTokens = 0, costUsd = 0 } = result?.usage ?? {};
  return {
    kind: asked?.kind ?? (key.includes('/child') ? 'rlm' : 'llm'),
    model,
    messages: asked?.messages ?? null,
    ok: result?.ok ?? null,
    reply: result?.text ?? '',
    ...(result?.reasoning !== undefined && { reasoning: result.reasoning }),
    ...(result?.error !== undefined && { error: { code: result.error.code, message: result.error.message } }),
    inputTokens,
    outputTokens,
    costUsd,
    durationMs: durationMs ?? null,
    attempts,
    ...(childRunId !== undefined && { childRunId }),
  };
}

function refusedNode(event: Extract<RunEvent, { type: 'subcall.completed' }>): CallNode {
  const { kind, model, ok, code = 'failed', inputTokens, outputTokens, costUsd, durationMs } = event;
  const error = { code, message: 'it was refused before it was sent' };
  return {
    kind,
    model,
    messages: null,
    ok,
    reply: '',
    error,
    inputTokens,
    outputTokens,
    costUsd,
    durationMs,
    attempts: 0,
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
