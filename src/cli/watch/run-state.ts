import { subCallsIn } from '../../event/call-events.ts';
import type { RunEvent } from '../../event/event.ts';
import { compact, money, stopwatch } from '../screen/figures.ts';
import { onOneLine } from '../screen/terminal-text.ts';

/** The state of a run, as its events report it. */
export interface RunState {
  /** 0 until the first turn. */
  readonly turn: number;
  readonly maxTurns: number | undefined;
  /** The current activity, in a few words. */
  readonly doing: string;
  /** Sub-calls of the command that runs now. */
  readonly subCalls: SubCallCount;
  /** Sub-calls of the whole run, without those that a limit refused. */
  readonly allSubCalls: number;
  /** Input and output together, of the whole tree. */
  readonly tokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
}

/** Sub-calls by state. */
export interface SubCallCount {
  readonly running: number;
  readonly done: number;
  readonly failed: number;
}

const NO_SUB_CALLS: SubCallCount = { running: 0, done: 0, failed: 0 };

/** Before the first event. */
export const INITIAL_STATE: RunState = {
  turn: 0,
  maxTurns: undefined,
  doing: 'starting',
  subCalls: NO_SUB_CALLS,
  allSubCalls: 0,
  tokens: 0,
  costUsd: 0,
};

/** The state after an event. Turns and words are the root's; sub-calls, tokens and money are the whole tree's. */
export function nextState(state: RunState, event: RunEvent): RunState {
  const ofRoot = event.runId === event.traceId;
  switch (event.type) {
    case 'run.progress':
      return ofRoot ? { ...state, turn: event.turn, maxTurns: event.maxTurns, doing: event.status } : state;
    case 'run.queued':
      return ofRoot ? { ...state, doing: `waiting for a REPL, number ${event.position} in the queue` } : state;
    case 'command.parsed':
      return ofRoot ? { ...state, subCalls: NO_SUB_CALLS } : state;
    case 'subcall.started':
      return {
        ...state,
        subCalls: { ...state.subCalls, running: state.subCalls.running + 1 },
        allSubCalls: state.allSubCalls + subCallsIn(event),
      };
    case 'subcall.completed': {
      const { running, done, failed } = state.subCalls;
      return {
        ...state,
        subCalls: { running: Math.max(0, running - 1), done: done + 1, failed: failed + (event.ok ? 0 : 1) },
        allSubCalls: state.allSubCalls + subCallsIn(event),
      };
    }
    case 'usage.recorded':
      return {
        ...state,
        ...(ofRoot &&
          event.purpose !== 'sub' &&
          !event.ok && { doing: `asking the model, attempt ${event.attempt + 1}` }),
        tokens: state.tokens + event.inputTokens + event.outputTokens,
        costUsd: state.costUsd === null || event.costUsd === null ? null : state.costUsd + event.costUsd,
      };
    default:
      return state;
  }
}

/** The state on one line: turn, activity, sub-calls, tokens, cost, time. */
export function progressLine(state: RunState, elapsedMs: number, width: number = Number.POSITIVE_INFINITY): string {
  const turn = state.turn === 0 ? '' : `turn ${state.turn}/${state.maxTurns ?? '?'}`;
  const parts = [
    turn,
    state.doing,
    subCalls(state),
    `${compact(state.tokens)} tokens`,
    money(state.costUsd),
    stopwatch(elapsedMs),
  ];
  return onOneLine(parts.filter((part) => part !== '').join(' · '), width);
}

function subCalls({ subCalls: { running, done, failed } }: RunState): string {
  if (running + done === 0) return '';
  return `${done} of ${done + running} sub-calls done${failed > 0 ? ` (${failed} failed)` : ''}`;
}
