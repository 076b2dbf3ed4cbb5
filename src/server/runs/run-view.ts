import type { RunRecord } from '../../store/index.ts';
import type { JsonBody } from '../body.ts';

/** A run as clients see it. */
export function runView({ id, status, createdAt, updatedAt, sessionId, owner, request, result }: RunRecord): JsonBody {
  return {
    ...{ id, object: 'run', status, created_at: createdAt, updated_at: updatedAt, query: request.query },
    ...{ detached: owner?.detached ?? false, session_id: sessionId ?? null },
    result: result === undefined ? null : resultView(result, request.output !== undefined),
  };
}

function resultView(result: NonNullable<RunRecord['result']>, typed: boolean): JsonBody {
  const { outcome, stop, text, reason = null, turns, subCalls, inputTokens, outputTokens, costUsd, elapsedMs } = result;
  return {
    ...{ outcome, stop, text, reason, turns, sub_calls: subCalls },
    // The text of a typed answer is its JSON, with all digits.
    ...{ typed, input_tokens: inputTokens, output_tokens: outputTokens, cost_usd: costUsd, elapsed_ms: elapsedMs },
  };
}
