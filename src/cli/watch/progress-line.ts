import { compact, money, stopwatch } from '../screen/figures.ts';
import { columnsIn, lastColumns } from '../screen/layout.ts';
import { forTerminal, onOneLine } from '../screen/terminal-text.ts';
import type { RunState } from './run-state.ts';

/** Columns of the text under way that a line without a width shows. */
const PLAIN_WRITING_COLUMNS = 60;
/** Fewer columns of it say nothing. */
const LEAST_WRITING_COLUMNS = 8;

/** The state on one line: time, turn, activity, sub-calls, tokens, cost. While the model writes, the end of its text. */
export function progressLine(state: RunState, elapsedMs: number, width: number = Number.POSITIVE_INFINITY): string {
  const turn = state.turn === 0 ? '' : `turn ${state.turn}/${state.maxTurns ?? '?'}`;
  const head = `${stopwatch(elapsedMs)} ${joined([turn, state.doing])}`;
  if (state.writing !== '') {
    const room = Number.isFinite(width) ? width - columnsIn(head) - 3 : PLAIN_WRITING_COLUMNS;
    const text = forTerminal(state.writing).split(/\s+/).join(' ').trimEnd();
    if (room >= LEAST_WRITING_COLUMNS && text !== '') return `${head}: ${lastColumns(text, room)}`;
  }
  return onOneLine(joined([head, subCalls(state), ...spent(state)]), width);
}

/** Tokens and money, as far as there are any and the price is known. */
export function spent({ tokens, costUsd }: Pick<RunState, 'tokens' | 'costUsd'>): readonly string[] {
  if (tokens === 0) return [];
  return [`${compact(tokens)} tokens`, ...(costUsd === null ? [] : [money(costUsd)])];
}

function subCalls({ subCalls: { running, done, failed }, batches, subCallWait }: RunState): string {
  const waiting = [...batches.values()].reduce((sum, left) => sum + left, 0);
  const all = done + running + waiting;
  if (all === 0) return '';
  const notes = [failed > 0 ? `${failed} failed` : '', done < all ? subCallWait : ''].filter((note) => note !== '');
  return `${done} of ${all} sub-calls${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
