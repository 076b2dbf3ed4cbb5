import { CompletionError } from '../engine/result.ts';
import { errorRow } from '../error-table.ts';
import { RlmError } from '../errors.ts';

/** An error as an HTTP response in the envelope of OpenAI. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly code: string;
      readonly param: string | null;
    };
  };
}

/** An error of JSON-RPC. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An error that is not one of Fathom's own says nothing to a client: its message may hold anything. */
const BUG = new RlmError({
  code: 'repl-failure',
  message: 'Fathom failed in a way that it did not foresee. The log of this process has the error.',
});

/** The response to an error, with the headers by which clients decide whether and when to try again. */
export function errorResponse(thrown: unknown): ErrorResponse {
  const error = RlmError.isInstance(thrown) ? thrown : BUG;
  const { status, type, envelopeCode = error.code, param } = errorRow(error.code);
  const wait = retryAfterMs(error);
  return {
    status,
    headers: {
      // The clients of OpenAI try 409, 429 and 5xx again unless this says otherwise, and would pay for a run twice.
      'x-should-retry': String(isWorthRetrying(error)),
      ...(wait !== undefined && {
        'retry-after': String(Math.ceil(wait / 1_000)),
        'retry-after-ms': String(Math.ceil(wait)),
      }),
      ...(CompletionError.isInstance(error) && { 'x-fathom-run-id': error.result.runId }),
    },
    body: { error: { message: error.message, type, code: envelopeCode, param: paramOf(error) ?? param ?? null } },
  };
}

/** The JSON-RPC error of an invalid request; `data` is also that of an MCP tool that failed. */
export function rpcError(thrown: unknown): RpcError {
  const error = RlmError.isInstance(thrown) ? thrown : BUG;
  const wait = retryAfterMs(error);
  return {
    code: errorRow(error.code).rpc,
    message: error.message,
    data: {
      ...error.data,
      code: error.code,
      retryable: isWorthRetrying(error),
      ...(wait !== undefined && { retryAfterMs: wait }),
      ...(CompletionError.isInstance(error) && { runId: error.result.runId }),
    },
  };
}

/** The same request may succeed unchanged, and nothing was paid for this one: a run that has spent is resumed instead. */
export function isWorthRetrying(error: RlmError): boolean {
  if (!error.retryable) return false;
  return !CompletionError.isInstance(error) || error.result.usage.calls === 0;
}

/** Milliseconds until then, where this `Rlm` or the provider said so. */
function retryAfterMs(error: RlmError): number | undefined {
  const { cause } = error as { readonly cause?: unknown };
  const found = [error.data.retryAfterMs, (cause as { readonly retryAfterMs?: unknown } | undefined)?.retryAfterMs];
  return found.find((wait): wait is number => typeof wait === 'number' && Number.isFinite(wait));
}

/** The parameter that the error names. */
function paramOf({ data }: RlmError): string | undefined {
  return [data.param, data.option, data.limit].find((name) => typeof name === 'string');
}
