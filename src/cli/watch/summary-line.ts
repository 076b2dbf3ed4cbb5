import type { CompletionResult, Unfinished } from '../../engine/result.ts';
import { compact, counted, duration, money } from '../screen/figures.ts';
import { onOneLine } from '../screen/terminal-text.ts';

/** Longest reason. */
const REASON_CHARS = 400;

/** How a run ended and what it took, on one line. */
export function summaryLine(result: CompletionResult<unknown> | Unfinished): string {
  const { usage } = result;
  const reason = result.outcome === 'exhausted' ? `: ${onOneLine(result.reason, REASON_CHARS)}` : '';
  const parts = [
    `${result.outcome} (${result.stop})${reason}`,
    counted(result.turns, 'turn'),
    counted(result.subCalls, 'sub-call'),
    `${compact(usage.inputTokens)} tokens in, ${compact(usage.outputTokens)} out`,
    money(usage.costUsd),
    duration(result.elapsedMs),
    `run ${result.runId}`,
  ];
  return parts.join(' · ');
}
