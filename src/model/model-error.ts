import { defined } from '../defined.ts';
import { RlmError, type RlmErrorCode } from '../errors.ts';
import type { Adaptation } from './endpoint/refusal.ts';
import type { CallUsage } from './port.ts';

/** The codes a {@link ModelError} can have. */
export type ModelErrorCode = Extract<
  RlmErrorCode,
  | 'rate-limited'
  | 'context-length'
  | 'model-failure'
  | 'model-refused'
  | 'missing-key'
  | 'model-not-found'
  | 'bad-request'
  | 'timeout'
  | 'cancelled'
>;

/** The exact failure, finer than the code. Retries, rate control and log lines depend on it. */
export type ModelFault =
  | 'rate-limit'
  | 'quota'
  | 'key'
  | 'model'
  | 'context-length'
  | 'bad-request'
  | 'overloaded'
  | 'server'
  | 'unreachable'
  | 'reset'
  | 'truncated'
  | 'malformed'
  | 'not-an-api'
  | 'web-page'
  | 'empty'
  | 'too-large'
  | 'redirect'
  | 'refused'
  | 'idle'
  | 'deadline'
  | 'cancelled'
  | 'recording'
  | 'unknown';

/** The fields of a {@link ModelError}. */
export interface ModelErrorOptions {
  /** Decides the code and the flags. */
  readonly fault: ModelFault;
  /** Says what happened, on what, and what to do. */
  readonly message: string;
  readonly cause?: unknown;
  /** Overrides what the fault says. */
  readonly retryable?: boolean;
  /** Milliseconds the provider asked us to wait. */
  readonly retryAfterMs?: number;
  /** It may have been charged for an answer that never arrived whole. Default false. */
  readonly possiblyBilled?: boolean;
  readonly usage?: CallUsage;
  /** Of the response, where there was one. */
  readonly httpStatus?: number;
  /** How the next attempt differs, where the endpoint refused the form of this one. */
  readonly adaptation?: Adaptation;
  readonly data?: Readonly<Record<string, unknown>>;
}

type ErrorChanges = Partial<Omit<ModelErrorOptions, 'fault' | 'cause'>>;

interface FaultRule {
  readonly code: ModelErrorCode;
  readonly retryable?: true;
  readonly userAction?: true;
  readonly stopsNewCalls?: true;
}

const RULES: Readonly<Record<ModelFault, FaultRule>> = {
  'rate-limit': { code: 'rate-limited', retryable: true },
  quota: { code: 'rate-limited', userAction: true, stopsNewCalls: true },
  key: { code: 'missing-key', userAction: true, stopsNewCalls: true },
  model: { code: 'model-not-found', userAction: true },
  'context-length': { code: 'context-length' },
  'bad-request': { code: 'bad-request' },
  overloaded: { code: 'model-failure', retryable: true },
  server: { code: 'model-failure', retryable: true },
  unreachable: { code: 'model-failure', retryable: true },
  reset: { code: 'model-failure', retryable: true },
  truncated: { code: 'model-failure', retryable: true },
  malformed: { code: 'model-failure', retryable: true },
  'not-an-api': { code: 'model-failure', retryable: true },
  'web-page': { code: 'model-failure', retryable: true },
  empty: { code: 'model-failure', retryable: true },
  'too-large': { code: 'model-failure' },
  redirect: { code: 'model-failure', userAction: true },
  refused: { code: 'model-refused' },
  idle: { code: 'timeout', retryable: true },
  deadline: { code: 'timeout' },
  cancelled: { code: 'cancelled' },
  recording: { code: 'model-failure', userAction: true },
  unknown: { code: 'model-failure' },
};

/**
 * A model call that gave no answer.
 *
 * Its message never holds a key. `data` of a `context-length` error has `limit` and `size` in tokens where the provider
 * says them; `data.resumable` is true for errors after which the run is worth resuming once a person has acted.
 */
export class ModelError extends RlmError {
  /** By the fault. */
  declare readonly code: ModelErrorCode;
  /** The exact failure. */
  readonly fault: ModelFault;
  /** Milliseconds the provider asked us to wait before the next attempt. */
  readonly retryAfterMs: number | undefined;
  /** The provider may have charged for an answer that never arrived whole. */
  readonly possiblyBilled: boolean;
  /** The usage that the failed attempt is booked with; undefined when nothing was used. */
  readonly usage: CallUsage | undefined;
  /** Of the response, where there was one. */
  readonly httpStatus: number | undefined;
  /** How the next attempt differs, where the endpoint refused the form of this one: it can be sent again at once. */
  readonly adaptation: Adaptation | undefined;
  /** The key or its quota does not work: every further call would fail in the same way. */
  readonly stopsNewCalls: boolean;

  constructor(options: ModelErrorOptions) {
    const rule = RULES[options.fault];
    super({
      code: rule.code,
      message: options.message,
      cause: options.cause,
      retryable: options.retryable ?? rule.retryable ?? false,
      userAction: rule.userAction ?? false,
      data: {
        ...options.data,
        fault: options.fault,
        ...defined({ httpStatus: options.httpStatus }),
        ...(rule.stopsNewCalls ? { resumable: true } : {}),
      },
    });
    this.fault = options.fault;
    this.retryAfterMs = options.retryAfterMs;
    this.possiblyBilled = options.possiblyBilled ?? false;
    this.usage = options.usage;
    this.httpStatus = options.httpStatus;
    this.adaptation = options.adaptation;
    this.stopsNewCalls = rule.stopsNewCalls ?? false;
  }

  /** True for every model error, also across two copies of the package in one process. */
  static override isInstance(error: unknown): error is ModelError {
    return RlmError.isInstance(error) && 'fault' in error && 'stopsNewCalls' in error;
  }

  /** The same error with some of its fields replaced, or left out; `data` is added to what it has. */
  with(changes: ErrorChanges, leftOut?: 'usage' | 'adaptation'): ModelError {
    const changed = (): ModelError => this.#changed(changes, leftOut);
    // A cancel has no place in the code worth looking up, and a thousand stacks are most of its cost.
    return this.fault === 'cancelled' ? withoutStacks(changed) : changed();
  }

  #changed(changes: ErrorChanges, leftOut: 'usage' | 'adaptation' | undefined): ModelError {
    const { cause, retryAfterMs, httpStatus } = this;
    const usage = leftOut === 'usage' ? undefined : this.usage;
    const adaptation = leftOut === 'adaptation' ? undefined : this.adaptation;
    return new ModelError({
      fault: this.fault,
      message: this.message,
      retryable: this.retryable,
      possiblyBilled: this.possiblyBilled,
      ...defined({ cause, retryAfterMs, usage, httpStatus, adaptation }),
      ...changes,
      data: { ...this.data, ...changes.data },
    });
  }
}

/** Runs `work`, whose errors get no stack: where they come from costs more to write down than the rest of the work. */
export function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  // No assignment: it would throw where `Error` is frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return work();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
