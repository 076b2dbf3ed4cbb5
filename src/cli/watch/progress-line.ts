import { compact, money, stopwatch } from '../screen/figures.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import type { RunState } from './run-state.ts';

/** One line that says where the run stands: turn, what it does now, sub-calls, tokens, money, time. */
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
