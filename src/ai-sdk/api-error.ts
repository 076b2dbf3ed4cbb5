import { APICallError } from '@ai-sdk/provider';
import { errorResponse } from '../door/error-response.ts';
import { RlmError } from '../errors.ts';

/**
 * The error that `ai` gets for a run that failed: an `APICallError` with the status, the headers and the envelope of the error
 * table, whose `cause` is Fathom's own error. `ai` calls again where `isRetryable` says so, after `retry-after-ms`.
 */
export function apiCallError(thrown: unknown): unknown {
  // An error of the caller's own code, such as `toRequest`.
  if (!RlmError.isInstance(thrown)) return thrown;
  const { status, headers, body } = errorResponse(thrown);
  return new APICallError({
    message: thrown.message,
    // No request was sent to a URL; the field is required.
    url: 'fathom:completion',
    requestBodyValues: {},
    statusCode: status,
    responseHeaders: { ...headers },
    responseBody: JSON.stringify(body),
    isRetryable: headers['x-should-retry'] === 'true',
    data: body,
    cause: thrown,
  });
}

/** The error of a run that the caller's own signal ended: `ai` takes one of this name as an abort, and calls no more. */
export function abortError(signal: AbortSignal, cause: unknown): unknown {
  const { reason } = signal;
  if (reason instanceof Error && (reason.name === 'AbortError' || reason.name === 'TimeoutError')) return reason;
  return new DOMException('The run was cancelled by the abort signal of its caller.', { name: 'AbortError', cause });
}
