/**
 * The base of every error Fathom throws. Each kind of error is a subclass beside the code that throws it.
 *
 * @module
 */

const marker = Symbol.for('fathom-rlm.error');

/**
 * Every stable error code. New codes may be added; existing ones never change their meaning. The line of each code is its row
 * in docs/errors.md.
 */
export type RlmErrorCode =
  /** A name of a context, variable or snapshot is not allowed; the message names the rule. */
  | 'invalid-name'
  /** A context or tool has a name that Fathom or Python uses itself. Choose another one. */
  | 'reserved-name'
  /** Two values have the same name. */
  | 'duplicate-name'
  /** The name of a tool is not an identifier that cells can call. */
  | 'invalid-tool-name'
  /** A limit is outside its range or not a number. */
  | 'invalid-limit'
  /** An option or argument is unknown or has a wrong value. */
  | 'invalid-option'
  /** A seed value or an attachment has a name, kind or size that cannot be passed. */
  | 'invalid-seed'
  /** The REPL has no variable of that name. */
  | 'variable-not-found'
  /** A value cannot be expressed as JSON. */
  | 'not-json'
  /** The REPL has no snapshot of that name. */
  | 'snapshot-not-found'
  /** A snapshot of that name exists already. */
  | 'snapshot-exists'
  /** The number or the memory of snapshots has reached its limit; delete one. */
  | 'snapshot-limit'
  /** A session cannot be extended further. */
  | 'extension-limit'
  /** The store has no session of that id. */
  | 'session-not-found'
  /** The session or its `Rlm` was closed. */
  | 'session-closed'
  /** The lifetime of the session is over. */
  | 'session-expired'
  /** Another process has the session open. */
  | 'session-locked'
  /** The store has no run of that id. */
  | 'run-not-found'
  /** Another process works on the run. */
  | 'run-locked'
  /** The provider, or the model at its provider, is unknown. */
  | 'model-not-found'
  /** Reserved: a sub-model outside the policy is replaced, with the event `subcall.fallback`. */
  | 'model-not-allowed'
  /** The provider needs a key that is not set. */
  | 'missing-key'
  /** A limit in money needs the price of this model: give it in `prices`. */
  | 'price-unknown'
  /** A file or folder of the context does not exist. */
  | 'context-not-found'
  /** A context has a kind or content that cannot be loaded. */
  | 'context-invalid'
  /** A URL of the context is not fetched: it was not allowed, or its scheme, address or redirect is refused. */
  | 'fetch-refused'
  /** A server did not give a context: its status, the network, its time or its size. */
  | 'fetch-failed'
  /** The prompt is longer than the model's context window. */
  | 'context-length'
  /** A limit of the run is used up: calls, tokens, money, time or depth. */
  | 'budget'
  /** The provider, or the queue of this `Rlm`, takes no more work for now. */
  | 'overloaded'
  /** The provider's rate limit refused the call. */
  | 'rate-limited'
  /** The model's provider failed. */
  | 'model-failure'
  /** The model refused to answer. */
  | 'model-refused'
  /** The provider rejected the request as invalid. */
  | 'bad-request'
  /** The caller stopped it. */
  | 'cancelled'
  /** The model did not answer in time. */
  | 'timeout'
  /** The REPL could not start, or has failed. */
  | 'repl-failure'
  /** This machine cannot provide the isolation level that was asked for. */
  | 'isolation-unavailable'
  /** The code in the REPL broke the protocol with the host; its REPL was ended. */
  | 'channel-violation'
  /** An answer does not fit the requested type. */
  | 'answer-invalid'
  /** An answer is larger than its limit. */
  | 'answer-too-large'
  /** The store could not read or write. */
  | 'store-failure';

/** The parts of an {@link RlmError}. */
export interface RlmErrorOptions {
  /** The stable code. */
  readonly code: RlmErrorCode;
  /** The event, its object and the remedy, in words. */
  readonly message: string;
  /** The error that caused it. */
  readonly cause?: unknown;
  /** The same request may succeed unchanged. Default false. */
  readonly retryable?: boolean;
  /** A limit or budget stopped it. Default false. */
  readonly budget?: boolean;
  /** A person has to do something first (a key, a quota, a setting). Default false. */
  readonly userAction?: boolean;
  /** Facts about the error for programs, JSON values only. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * An error with a stable `code`, flags that say what can be done about it, and data for programs.
 *
 * @example
 * ```ts
 * try { await rlm.completion({ query: 'How many lines?', context: text }); }
 * catch (error) { if (RlmError.isInstance(error) && error.code === 'missing-key') console.error(error.message); }
 * ```
 */
export class RlmError extends Error {
  /** Stable: programs branch on it. */
  readonly code: RlmErrorCode;
  /** The same request may succeed unchanged. */
  readonly retryable: boolean;
  /** A limit or budget stopped it. */
  readonly budget: boolean;
  /** A person has to do something first (a key, a quota, a setting). */
  readonly userAction: boolean;
  /** Facts for programs, JSON values only; which ones depends on the code. Default `{}`. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(options: RlmErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.budget = options.budget ?? false;
    this.userAction = options.userAction ?? false;
    this.data = options.data ?? {};
    Object.defineProperty(this, marker, { value: true });
  }

  /** True for every Fathom error, also across two copies of the package in one process. */
  static isInstance(error: unknown): error is RlmError {
    return typeof error === 'object' && error !== null && (error as { [marker]?: unknown })[marker] === true;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
