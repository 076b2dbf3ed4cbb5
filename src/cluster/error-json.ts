import { defined } from '../defined.ts';
import { CompletionError, type Unfinished } from '../engine/result.ts';
import { messageOf, RlmError, type RlmErrorCode } from '../errors.ts';
import { BudgetError, type BudgetErrorOptions } from '../ledger/budget-error.ts';
import { ModelError } from '../model/index.ts';
import type { ModelFault } from '../model/model-error.ts';
import type { JsonValue } from '../repl/port.ts';

/** An error as it travels between processes. */
interface ErrorJson {
  readonly name: string;
  readonly message: string;
  readonly code?: RlmErrorCode;
  readonly retryable?: boolean;
  readonly budget?: boolean;
  readonly userAction?: boolean;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly fault?: ModelFault;
  readonly retryAfterMs?: number;
  readonly httpStatus?: number;
  readonly result?: Unfinished;
  readonly resumable?: boolean;
  readonly cause?: ErrorJson;
}

/** An error as JSON. Its stack and what only this process knows stay here. */
export function errorAsJson(error: unknown): JsonValue {
  return toJson(error) as unknown as JsonValue;
}

function toJson(error: unknown): ErrorJson {
  const name = error instanceof Error ? error.name : 'Error';
  const message = messageOf(error);
  if (!RlmError.isInstance(error)) return { name, message };
  const { code, retryable, budget, userAction, data, cause } = error;
  return {
    ...{ name, message, code, retryable, budget, userAction, data },
    ...(ModelError.isInstance(error) && {
      fault: error.fault,
      ...defined({ retryAfterMs: error.retryAfterMs, httpStatus: error.httpStatus }),
    }),
    ...(CompletionError.isInstance(error) && { result: error.result, resumable: error.resumable }),
    ...(RlmError.isInstance(cause) && { cause: toJson(cause) }),
  };
}

/** The error of another process, of the class that it had there. */
export function errorFromJson(json: JsonValue): Error {
  return fromJson(json as unknown as ErrorJson);
}

function fromJson(json: ErrorJson): Error {
  const { name, message, code, data = {} } = json;
  if (code === undefined) {
    const error = new Error(message);
    error.name = name;
    return error;
  }
  const cause = json.cause === undefined ? undefined : fromJson(json.cause);
  if (json.fault !== undefined) {
    const { fault, retryAfterMs, httpStatus } = json;
    return new ModelError({ fault, message, data, cause, ...defined({ retryAfterMs, httpStatus }) });
  }
  if (code === 'budget' && 'resource' in data) return new BudgetError(stateOf(data));
  const { retryable = false, budget = false, userAction = false, result, resumable = false } = json;
  const options = { code, message, cause, retryable, budget, userAction, data };
  return result === undefined ? new RlmError(options) : new CompletionError({ ...options, result, resumable });
}

/** JSON has no infinity: a limit that is absent is null there. */
function stateOf(data: Readonly<Record<string, unknown>>): BudgetErrorOptions {
  const numbers = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, value ?? Number.POSITIVE_INFINITY]),
  );
  return numbers as unknown as BudgetErrorOptions;
}

/** The error of a worker whose child has been given to another one. */
export function takenOver(): RlmError {
  return new RlmError({
    code: 'cancelled',
    message: 'Another worker has this child now: nothing of it is sent or stored from here.',
    data: { takenOver: true },
  });
}

export function isTakenOver(error: unknown): boolean {
  if (CompletionError.isInstance(error)) return isTakenOver(error.cause);
  return RlmError.isInstance(error) && error.data.takenOver === true;
}
