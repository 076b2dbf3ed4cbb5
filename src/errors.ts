/**
 * The base of every error Fathom throws. Each kind of error is a subclass beside the code that throws it.
 *
 * @module
 */

const marker = Symbol.for('fathom-rlm.error');

/** Every stable error code. New codes may be added; existing ones never change their meaning. */
export type RlmErrorCode =
  | 'invalid-name'
  | 'reserved-name'
  | 'duplicate-name'
  | 'invalid-tool-name'
  | 'invalid-limit'
  | 'invalid-option'
  /** Reserved: nothing throws it yet. */
  | 'invalid-seed'
  | 'variable-not-found'
  | 'not-json'
  | 'snapshot-not-found'
  | 'snapshot-exists'
  | 'snapshot-limit'
  | 'extension-limit'
  | 'session-not-found'
  | 'session-closed'
  | 'session-expired'
  | 'session-locked'
  | 'run-not-found'
  | 'run-locked'
  | 'model-not-found'
  /** Reserved: a model that is known and not allowed is replaced by the policy's, with `subcall.fallback`. */
  | 'model-not-allowed'
  | 'missing-key'
  | 'price-unknown'
  | 'context-not-found'
  | 'context-invalid'
  | 'context-length'
  | 'budget'
  | 'overloaded'
  | 'rate-limited'
  | 'model-failure'
  | 'model-refused'
  | 'bad-request'
  | 'cancelled'
  | 'timeout'
  | 'repl-failure'
  | 'isolation-unavailable'
  | 'channel-violation'
  | 'answer-invalid'
  | 'answer-too-large'
  | 'store-failure';

/** What an {@link RlmError} is made of. */
export interface RlmErrorOptions {
  /** The stable code. */
  readonly code: RlmErrorCode;
  /** What happened, on what, and what to do about it. */
  readonly message: string;
  /** What was thrown below. */
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
