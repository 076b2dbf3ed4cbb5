import { CompletionError, type CompletionResult, type ResultBase } from '../../engine/result.ts';
import { errorFacts } from '../screen/error-report.ts';
import { inOptionWords } from '../screen/option-words.ts';

/** The object that `--json` prints for a result. */
export function resultJson(result: CompletionResult<unknown>): Readonly<Record<string, unknown>> {
  return {
    outcome: result.outcome,
    ...(result.outcome === 'exhausted' && { reason: inOptionWords(result.reason) }),
    answer: result.answer ?? null,
    ...factsOf(result),
  };
}

/**
 * The object that `--json` prints for an error, with the partial result when the run had started.
 *
 * @param resumable `fathom resume` can continue the run
 */
export function errorJson(error: unknown, resumable = false): Readonly<Record<string, unknown>> {
  const described = errorFacts(error);
  if (!(error instanceof CompletionError)) return { outcome: 'failed', answer: null, error: described };
  const { result } = error;
  return {
    outcome: result.outcome,
    reason: inOptionWords(result.reason),
    answer: null,
    ...factsOf(result),
    error: { ...described, resumable },
  };
}

function factsOf(result: ResultBase): Readonly<Record<string, unknown>> {
  return {
    stop: result.stop,
    text: result.text,
    turns: result.turns,
    subCalls: result.subCalls,
    elapsedMs: result.elapsedMs,
    ...(result.evidence !== undefined && { evidence: result.evidence }),
    ...(result.consensus !== undefined && { consensus: result.consensus }),
    usage: result.usage,
    isolation: result.isolation,
    runId: result.runId,
  };
}
