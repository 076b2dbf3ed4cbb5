import { CompletionError, type CompletionResult, type ResultBase } from '../../engine/result.ts';
import { messageOf, RlmError } from '../../errors.ts';

/** The object `--json` prints of a result. */
export function resultJson(result: CompletionResult<unknown>): Readonly<Record<string, unknown>> {
  return {
    outcome: result.outcome,
    ...(result.outcome === 'exhausted' && { reason: result.reason }),
    answer: result.answer ?? null,
    ...factsOf(result),
  };
}

/**
 * The object `--json` prints of an error: with all that was gained, when the run had begun.
 *
 * @param resumable the run is kept and can go on
 */
export function errorJson(error: unknown, resumable = false): Readonly<Record<string, unknown>> {
  const described = errorFacts(error);
  if (!(error instanceof CompletionError)) return { outcome: 'failed', answer: null, error: described };
  const { result } = error;
  return {
    outcome: result.outcome,
    reason: result.reason,
    answer: null,
    ...factsOf(result),
    error: { ...described, resumable },
  };
}

/** What `--json` tells of an error: its stable code, and what can be done about it. */
export function errorFacts(error: unknown): Readonly<Record<string, unknown>> {
  return {
    code: RlmError.isInstance(error) ? error.code : 'failed',
    message: messageOf(error),
    retryable: RlmError.isInstance(error) && error.retryable,
    userAction: RlmError.isInstance(error) && error.userAction,
  };
}

function factsOf(result: ResultBase): Readonly<Record<string, unknown>> {
  return {
    stop: result.stop,
    text: result.text,
    turns: result.turns,
    subCalls: result.subCalls,
    elapsedMs: result.elapsedMs,
    usage: result.usage,
    isolation: result.isolation,
    runId: result.runId,
  };
}
