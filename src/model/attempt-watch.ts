import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { ModelError, withoutStacks } from './model-error.ts';
import type { ModelRequest } from './port.ts';

/** Facts about the wire while one attempt runs. Our fetch writes them; the classification of a failure reads them. */
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
  /** The error that ended the response body early. The reply may have been whole before. */
  lost: ModelError | undefined;
  /** Ends the body where it is, as if its connection had been lost by this error; undefined while there is none to end. */
  cutOff: ((error: ModelError) => void) | undefined;
}

/**
 * Watches one attempt: ends it on the caller's signal, when the provider falls silent, or when code that reads the wire
 * calls {@link AttemptWatch.fail}. The first failure wins.
 */
export interface AttemptWatch {
  /** Goes to the provider; aborted by the first failure and at the end of the attempt. */
  readonly signal: AbortSignal;
  readonly wire: WireFacts;
  /** Output tokens that are reserved for the attempt. */
  readonly maxOutputTokens: number;
  readonly failure: ModelError | undefined;
  /** Asks whether the request may leave. The watch fails where it may not. */
  confirm(): Promise<void> | undefined;
  /** A byte of the body or a part of the reply arrived. */
  touch(): void;
  /** The provider showed that it is at work, before any part of the reply. */
  atWork(): void;
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
  return new Watch(modelId, request, clock);
}

class Watch implements AttemptWatch {
  readonly wire: WireFacts = unsent();
  failure: ModelError | undefined;
  readonly #controller = new AbortController();
  readonly #modelId: string;
  readonly #request: ModelRequest;
  readonly #clock: Clock;
  readonly #onAbort = (): void => this.fail(abortError(this.#modelId, this.#request.signal.reason));
  #listener: ((error: ModelError) => void) | undefined;
  #lastSign: number;
  /** Something of the reply has arrived. */
  #begun = false;
  #cancelTimer: (() => void) | undefined;

  constructor(modelId: string, request: ModelRequest, clock: Clock) {
    this.#modelId = modelId;
    this.#request = request;
    this.#clock = clock;
    this.#lastSign = clock.now();
    const { signal } = request;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#lookIn(this.#allowedMs());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get maxOutputTokens(): number {
    return this.#request.maxOutputTokens;
  }

  confirm(): Promise<void> | undefined {
    return this.#request.confirm?.()?.catch((error: unknown) => {
      const refused = notSent(this.#modelId, error);
      this.fail(refused);
      throw refused;
    });
  }

  touch(): void {
    this.atWork();
    if (this.#begun) return;
    this.#begun = true;
    this.#cancelTimer?.();
    if (this.failure === undefined) this.#lookIn(this.#allowedMs());
  }

  atWork(): void {
    this.#lastSign = this.#clock.now();
  }

  answered(status: number, headers: Readonly<Record<string, string>>): void {
    this.atWork();
    this.wire.answered = true;
    this.wire.status = status;
    this.wire.headers = headers;
    this.#request.onHeaders?.(headers, status);
  }

  fail(error: ModelError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    abortWithoutStacks(this.#controller, error);
    this.#listener?.(error);
  }

  onFailure(next: (error: ModelError) => void): void {
    this.#listener = next;
    if (this.failure !== undefined) next(this.failure);
  }

  close(ended: boolean): void {
    this.#listener = undefined;
    this.#cancelTimer?.();
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    if (!ended) abortWithoutStacks(this.#controller, OVER);
  }

  /** Milliseconds of silence that are allowed now: more before the reply has begun, while the model reads or thinks. */
  #allowedMs(): number {
    const { idleTimeoutMs, firstByteTimeoutMs = idleTimeoutMs } = this.#request;
    return this.#begun ? idleTimeoutMs : firstByteTimeoutMs;
  }

  #lookIn(ms: number): void {
    if (!Number.isFinite(ms)) return;
    this.#cancelTimer = this.#clock.schedule(ms, () => {
      const allowedMs = this.#allowedMs();
      const silentMs = this.#clock.now() - this.#lastSign;
      if (silentMs >= allowedMs) this.#silent(idleError(this.#modelId, allowedMs, this.#begun, this.wire));
      else this.#lookIn(allowedMs - silentMs);
    });
  }

  /** A body is cut off first, once: its reply may be whole though its connection hangs. */
  #silent(error: ModelError): void {
    const { cutOff } = this.wire;
    this.wire.cutOff = undefined;
    if (cutOff === undefined) this.fail(error);
    else {
      this.#lookIn(this.#allowedMs());
      cutOff(error);
    }
  }
}

/** Closing a connection makes errors that no code reads, and a thousand calls may be cancelled at once. */
function abortWithoutStacks(controller: AbortController, reason: unknown): void {
  withoutStacks(() => controller.abort(reason));
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
    lost: undefined,
    cutOff: undefined,
  };
}

/** Nothing of it left this process: it is booked with nothing. */
function notSent(modelId: string, cause: unknown): ModelError {
  return new ModelError({
    fault: 'cancelled',
    message: `The call of ${modelId} was not sent. ${messageOf(cause)}`,
    cause,
    usage: { inputTokens: 0, outputTokens: 0, estimated: false },
  });
}

function idleError(modelId: string, allowedMs: number, begun: boolean, wire: WireFacts): ModelError {
  const where = begun ? 'in the middle of the reply' : 'before the reply began';
  const limit = begun ? 'callIdleTimeoutMs' : 'callFirstByteTimeoutMs';
  return new ModelError({
    fault: 'idle',
    message: `${modelId} sent nothing for ${seconds(allowedMs)} ${where} (limit ${limit}); the connection was given up.`,
    possiblyBilled: true,
    data: { limit, timeoutMs: allowedMs, answered: wire.answered, begun },
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
