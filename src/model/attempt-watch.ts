import type { Clock } from '../clock.ts';
import { ModelError } from './model-error.ts';
import type { ModelRequest } from './port.ts';

/** What is known of the wire while one attempt runs. Written by our fetch, read when a failure is classified. */
export interface WireFacts {
  /** The provider was asked: a request left this process or is about to. */
  sent: boolean;
  /** Response headers arrived. */
  answered: boolean;
  status: number | undefined;
  headers: Readonly<Record<string, string>> | undefined;
  /** Bytes of the response body so far, decompressed. */
  bytes: number;
  /** The provider said by itself that its reply is whole, though maybe without a finish reason. */
  closed: boolean;
  host: string | undefined;
}

/**
 * Watches one attempt: ends it on the caller's signal, when the provider falls silent, or when anybody who sees the wire
 * calls {@link AttemptWatch.fail}. The first failure wins.
 */
export interface AttemptWatch {
  /** Goes to the provider; aborted by the first failure and at the end of the attempt. */
  readonly signal: AbortSignal;
  readonly wire: WireFacts;
  readonly failure: ModelError | undefined;
  /** A byte or a part arrived. */
  touch(): void;
  /** Response headers arrived. */
  answered(status: number, headers: Readonly<Record<string, string>>): void;
  fail(error: ModelError): void;
  /** Called at once when the attempt has failed or fails later. One listener at a time. */
  onFailure(listener: (error: ModelError) => void): void;
  /** Ends every timer, and the provider's side of the attempt unless it ended by itself. */
  close(ended: boolean): void;
}

/** One for all: making an error for each attempt that is simply over costs more than the rest of its end. */
const OVER = new Error('The attempt is over.');

/** Starts the watch over one attempt. */
export function watchAttempt(modelId: string, request: ModelRequest, clock: Clock): AttemptWatch {
  const controller = new AbortController();
  const wire = unsent();
  let failure: ModelError | undefined;
  let listener: ((error: ModelError) => void) | undefined;
  let lastSign = clock.now();
  let cancelTimer: (() => void) | undefined;

  const fail = (error: ModelError): void => {
    if (failure !== undefined) return;
    failure = error;
    controller.abort(error);
    listener?.(error);
  };
  const checkIdle = (): void => {
    const silentMs = clock.now() - lastSign;
    if (silentMs >= request.idleTimeoutMs) fail(idleError(modelId, request.idleTimeoutMs, wire));
    else cancelTimer = clock.schedule(request.idleTimeoutMs - silentMs, checkIdle);
  };
  const onAbort = (): void => fail(abortError(modelId, request.signal.reason));

  if (request.signal.aborted) onAbort();
  else request.signal.addEventListener('abort', onAbort, { once: true });
  if (Number.isFinite(request.idleTimeoutMs)) cancelTimer = clock.schedule(request.idleTimeoutMs, checkIdle);

  return {
    signal: controller.signal,
    wire,
    get failure() {
      return failure;
    },
    touch() {
      lastSign = clock.now();
    },
    answered(status, headers) {
      lastSign = clock.now();
      wire.answered = true;
      wire.status = status;
      wire.headers = headers;
      request.onHeaders?.(headers, status);
    },
    fail,
    onFailure(next) {
      listener = next;
      if (failure !== undefined) next(failure);
    },
    close(ended) {
      listener = undefined;
      cancelTimer?.();
      request.signal.removeEventListener('abort', onAbort);
      if (!ended) controller.abort(OVER);
    },
  };
}

function unsent(): WireFacts {
  return {
    sent: false,
    answered: false,
    status: undefined,
    headers: undefined,
    bytes: 0,
    closed: false,
    host: undefined,
  };
}

function idleError(modelId: string, idleTimeoutMs: number, wire: WireFacts): ModelError {
  const where = wire.answered ? 'in the middle of the reply' : 'before the reply began';
  return new ModelError({
    fault: 'idle',
    message: `${modelId} sent nothing for ${seconds(idleTimeoutMs)} ${where}; the connection was given up.`,
    possiblyBilled: true,
    data: { idleTimeoutMs, answered: wire.answered },
  });
}

/** Thousands of calls are cancelled for one reason: by reason, the error of each model's calls. */
const cancelled = new WeakMap<object, Map<string, ModelError>>();

/** The error of a call whose signal was aborted: the reason itself if it is a model error, else `cancelled`. */
export function abortError(modelId: string, reason: unknown): ModelError {
  if (ModelError.isInstance(reason)) return reason;
  if (!(reason instanceof Error)) return cancelledFor(modelId, reason);
  let errors = cancelled.get(reason);
  if (errors === undefined) {
    errors = new Map();
    cancelled.set(reason, errors);
  }
  let error = errors.get(modelId);
  if (error === undefined) {
    error = cancelledFor(modelId, reason);
    errors.set(modelId, error);
  }
  return error;
}

function cancelledFor(modelId: string, reason: unknown): ModelError {
  const why = reason instanceof Error && reason.name !== 'AbortError' ? `: ${reason.message}` : '';
  return new ModelError({ fault: 'cancelled', message: `The call of ${modelId} was cancelled${why}.`, cause: reason });
}

/** Milliseconds in words: `0.25 s`, `60 s`. */
export function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(2))} s`;
}
