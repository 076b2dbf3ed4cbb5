import { subCallsIn, type UsageRecorded } from '../../event/call-events.ts';
import type { RunEvent } from '../../event/event.ts';
import { retryWords } from '../screen/fault-words.ts';

/** The state of a run, as its events report it. */
export interface RunState {
  /** 0 until the first turn. */
  readonly turn: number;
  readonly maxTurns: number | undefined;
  /** The current activity, in a few words. */
  readonly doing: string;
  /** The end of the reply that the root model writes now; empty when it writes none. */
  readonly writing: string;
  /** The root's last reply. */
  readonly reply: string;
  /** Sub-calls of the command that runs now. */
  readonly subCalls: SubCallCount;
  /** Items of batches that have not begun, by run and batch. */
  readonly batches: ReadonlyMap<string, number>;
  /** Why a sub-call waits; empty when none does. */
  readonly subCallWait: string;
  /** Sub-calls of the whole run, without those that a limit refused. */
  readonly allSubCalls: number;
  /** Input and output together, of the whole tree. */
  readonly tokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  /** The user asked for the best answer. */
  readonly stopping: boolean;
}

/** Sub-calls by state. */
export interface SubCallCount {
  readonly running: number;
  readonly done: number;
  readonly failed: number;
}

const NO_SUB_CALLS = {
  subCalls: { running: 0, done: 0, failed: 0 },
  batches: new Map<string, number>(),
  subCallWait: '',
} as const;

/** Before the first event. */
export const INITIAL_STATE: RunState = {
  turn: 0,
  maxTurns: undefined,
  doing: 'starting',
  writing: '',
  reply: '',
  ...NO_SUB_CALLS,
  allSubCalls: 0,
  tokens: 0,
  costUsd: 0,
  stopping: false,
};

/** Characters of a reply under way that are kept: more than a line shows. */
const WRITING_CHARS = 400;

/** The state after an event. Turns and words are the root's; sub-calls, tokens and money are the whole tree's. */
export function nextState(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'subcall.started':
    case 'subcall.completed':
      return afterSubCall(state, event);
    case 'usage.recorded':
      return afterUsage(state, event);
    default:
      return event.runId === event.traceId ? afterRootEvent(state, event) : state;
  }
}

function afterRootEvent(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'run.progress':
      return { ...state, turn: event.turn, maxTurns: event.maxTurns, doing: event.status, writing: '' };
    case 'run.queued':
      return { ...state, doing: `waiting for a REPL, number ${event.position} in the queue` };
    case 'route.chosen':
      return event.chosen === 'direct' ? { ...state, doing: 'asking once, with the whole context' } : state;
    case 'model.delta':
      return { ...state, doing: 'writing', writing: `${state.writing}${event.text}`.slice(-WRITING_CHARS) };
    case 'model.replied':
      return { ...state, writing: '', reply: event.text };
    case 'limit.reached':
      return event.limit === 'finish-requested' ? { ...state, doing: 'stopping', writing: '', stopping: true } : state;
    case 'command.parsed':
      return { ...state, ...NO_SUB_CALLS };
    default:
      return state;
  }
}

function afterSubCall(
  state: RunState,
  event: Extract<RunEvent, { type: 'subcall.started' | 'subcall.completed' }>,
): RunState {
  const { running, done, failed } = state.subCalls;
  const allSubCalls = state.allSubCalls + subCallsIn(event);
  if (event.type === 'subcall.started') {
    const subCalls = { ...state.subCalls, running: running + 1 };
    return { ...state, subCalls, allSubCalls, batches: batchesAfter(state.batches, event) };
  }
  const subCalls = { running: Math.max(0, running - 1), done: done + 1, failed: failed + (event.ok ? 0 : 1) };
  return { ...state, subCalls, allSubCalls, subCallWait: '' };
}

function batchesAfter(
  batches: RunState['batches'],
  { runId, batch }: Extract<RunEvent, { type: 'subcall.started' }>,
): RunState['batches'] {
  if (batch === undefined) return batches;
  const key = `${runId}/${batch.id}`;
  return new Map(batches).set(key, Math.max(0, (batches.get(key) ?? batch.count) - 1));
}

function afterUsage(state: RunState, event: UsageRecorded & Pick<RunEvent, 'runId' | 'traceId'>): RunState {
  const next = {
    ...state,
    tokens: state.tokens + event.inputTokens + event.outputTokens,
    costUsd: state.costUsd === null || event.costUsd === null ? null : state.costUsd + event.costUsd,
  };
  if (event.ok) return next;
  if (event.purpose === 'sub') return { ...next, subCallWait: retryWords(event) };
  if (event.runId !== event.traceId) return next;
  return { ...next, writing: '', ...(!state.stopping && { doing: retryWords(event) }) };
}
