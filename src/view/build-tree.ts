import type { RunEvent } from '../event/event.ts';
import { figuresOf, type JournalCall, type RunLog } from '../resume/run-logs.ts';
import { besidesOf, NO_USAGE, plusUsage } from './beside-nodes.ts';
import { noticesOf } from './notices.ts';
import type { CallNode, CommandNode, NodeUsage, RunEnd, RunNode, TurnNode } from './run-node.ts';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Builds the tree of a run from the events of it and its children. */
export function runTree(log: RunLog): RunNode {
  const { events } = log;
  const started = events.find((event) => event.type === 'run.started');
  const end = events.findLast((event) => event.type === 'run.completed');
  const turns = turnsOf(log);
  const last = events.findLast((event) => event.type === 'turn.started');
  const evidence = events.findLast((event) => event.type === 'evidence.checked');
  const isPending = last !== undefined && end === undefined && turns.at(-1)?.number !== last.turn;
  return {
    runId: log.runId,
    query: started?.query ?? '',
    depth: started?.depth ?? 0,
    rootModel: started?.rootModel ?? '',
    subCallModel: started?.subCallModel ?? '',
    backend: started?.backend ?? '',
    // A direct answer had no REPL.
    isolation: started === undefined || started.backend === 'none' ? '' : started.isolation,
    ...(started?.worker !== undefined && { worker: started.worker }),
    contexts: started?.contexts ?? [],
    startedAt: started?.time ?? events[0]?.time ?? '',
    end: end === undefined ? null : endOf(end),
    figures: figuresOf(log),
    turns,
    pending: isPending ? { number: last.turn, startedAt: last.time } : null,
    besides: besidesOf(events),
    notices: noticesOf(events),
    ...(evidence !== undefined && { evidence: { verdict: evidence.verdict, citations: evidence.citations } }),
  };
}

/** Everything that the events of one run say about its turns, by turn. */
interface TurnFacts {
  readonly started: Map<number, string>;
  readonly ended: Map<number, EventOf<'turn.completed'>>;
  readonly usage: Map<number, NodeUsage>;
  readonly commands: Map<number, CommandNode[]>;
  readonly rejected: Map<number, TurnNode['rejected'][number][]>;
}

function turnsOf(log: RunLog): readonly TurnNode[] {
  const facts = turnFacts(log);
  return log.events.flatMap((event) => (event.type === 'model.replied' ? [turnNode(event, facts)] : []));
}

function turnNode(event: EventOf<'model.replied'>, facts: TurnFacts): TurnNode {
  const { turn, model, text, reasoning, finishReason, durationMs, time } = event;
  const ended = facts.ended.get(turn);
  return {
    number: turn,
    startedAt: facts.started.get(turn) ?? time,
    model,
    reply: text,
    ...(reasoning !== undefined && { reasoning }),
    modelMs: durationMs,
    durationMs: ended?.durationMs ?? null,
    finishReason,
    usage: facts.usage.get(turn) ?? NO_USAGE,
    commands: facts.commands.get(turn) ?? [],
    rejected: facts.rejected.get(turn) ?? [],
    feedback: ended?.feedback ?? '',
  };
}

function turnFacts(log: RunLog): TurnFacts {
  const { events } = log;
  const commandNode = commandNodes(log);
  const facts: TurnFacts = {
    ...{ started: new Map(), ended: new Map(), usage: new Map(), commands: new Map(), rejected: new Map() },
  };
  let turn = 0;
  for (const event of events) {
    if (event.type === 'turn.started') {
      turn = event.turn;
      facts.started.set(turn, event.time);
    } else if (event.type === 'turn.completed') {
      facts.ended.set(event.turn, event);
    } else if (event.type === 'usage.recorded' && event.purpose === 'root') {
      facts.usage.set(turn, plusUsage(facts.usage.get(turn) ?? NO_USAGE, event));
    } else if (event.type === 'command.parsed') {
      push(facts.commands, event.turn, commandNode(event));
    } else if (event.type === 'command.rejected' && event.code !== 'after-final') {
      push(facts.rejected, event.turn, { code: event.code, message: event.message });
    }
  }
  return facts;
}

/** Makes the nodes of commands. Every log is read once, whatever the number of commands and calls. */
function commandNodes(log: RunLog): (parsed: EventOf<'command.parsed'>) => CommandNode {
  const { events } = log;
  const cells = new Map(events.flatMap((event) => (event.type === 'cell.completed' ? [[event.id, event]] : [])));
  const begun = Map.groupBy(
    events.filter((event) => event.type === 'subcall.started'),
    ({ commandId }) => commandId,
  );
  const begunIds = new Map([...begun.values()].flat().map((event) => [event.callId, event]));
  const refused = events.filter((event) => event.type === 'subcall.completed' && !event.ok);
  const refusedOf = Map.groupBy(
    refused as EventOf<'subcall.completed'>[],
    ({ callId }) => begunIds.get(callId)?.commandId,
  );
  const calls = Map.groupBy(log.calls, ({ command }) => command);
  const children = Map.groupBy(log.children, ({ commandId }) => commandId);
  return ({ id, command, time }) => {
    const cell = cells.get(id);
    return {
      id,
      command,
      startedAt: cell === undefined ? time : earlier(cell.time, cell.durationMs),
      ok: cell?.ok ?? null,
      durationMs: cell?.durationMs ?? null,
      shown: cell?.shown ?? '',
      stdout: cell?.stdout ?? '',
      stderr: cell?.stderr ?? '',
      ...(cell?.error !== undefined && { error: cell.error }),
      timedOut: cell?.timedOut ?? false,
      subCalls: cell?.subCalls ?? begun.get(id)?.length ?? 0,
      failedSubCalls: cell?.failedSubCalls ?? 0,
      calls: callsOf(calls.get(id) ?? [], refusedOf.get(id) ?? [], begunIds),
      children: (children.get(id) ?? []).map(runTree),
    };
  };
}

function earlier(time: string, ms: number): string {
  return new Date(Date.parse(time) - ms).toISOString();
}

type Begun = ReadonlyMap<string, EventOf<'subcall.started'>>;

/** Calls of a command: those of the journal, then those that were refused before the journal knew them. */
function callsOf(
  own: readonly JournalCall[],
  failed: readonly EventOf<'subcall.completed'>[],
  begun: Begun,
): readonly CallNode[] {
  const known = new Set(own.map(({ asked }) => asked?.callId));
  const refused = failed.filter(({ callId }) => !known.has(callId)).map((event) => refusedNode(event, begun));
  const recorded = own.map((call) => callNode(call, begun));
  // Records of old versions do not say which call of the journal an event means.
  return [...recorded, ...(known.has(undefined) ? [] : refused)];
}

function callNode(
  { model, asked, attempts, result, durationMs, childRunId, key }: JournalCall,
  begun: Begun,
): CallNode {
  const { inputTokens = 0, outputTokens = 0, costUsd = 0 } = result?.usage ?? {};
  const startedAt = begun.get(asked?.callId ?? '')?.time;
  return {
    kind: asked?.kind ?? (key.includes('/child') ? 'rlm' : 'llm'),
    model,
    messages: asked?.messages ?? null,
    ...(startedAt !== undefined && { startedAt }),
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

function refusedNode(event: EventOf<'subcall.completed'>, begun: Begun): CallNode {
  const { kind, model, ok, code = 'failed', inputTokens, outputTokens, costUsd, durationMs, callId } = event;
  const error = { code, message: 'it was refused before it was sent' };
  const startedAt = begun.get(callId)?.time;
  return {
    kind,
    model,
    messages: null,
    ...(startedAt !== undefined && { startedAt }),
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

function endOf({
  outcome,
  stop,
  reason,
  elapsedMs,
  text,
  textChars,
  time,
}: EventOf<'run.completed'> & { readonly time: string }): RunEnd {
  return {
    outcome,
    stop,
    elapsedMs,
    time,
    ...(reason !== undefined && { reason }),
    ...(text !== undefined && { text }),
    ...(textChars !== undefined && { textChars }),
  };
}

function push<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
