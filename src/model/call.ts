import type { Clock } from '../clock.ts';
import type { Limits } from '../limits.ts';
import type { CallAccount } from './account.ts';
import type { ModelError } from './model-error.ts';
import type { CallSettings } from './model-settings.ts';
import type { CallUsage, ChatMessage, Model, ModelReply, TextReader } from './port.ts';
import type { CallGate } from './rate/call-gate.ts';

/** How failed attempts are repeated. */
export interface RetryPolicy {
  /** Attempts of one call, without those refused by a rate limit or for want of a connection. */
  readonly maxAttempts: number;
  /** Attempts of one call that a rate limit may refuse. */
  readonly maxRefusals: number;
  /** Milliseconds for which an unreachable host is tried again. */
  readonly unreachableMs: number;
  /** Milliseconds of the first backoff; doubles with every attempt. */
  readonly baseMs: number;
  /** Longest backoff in milliseconds. */
  readonly capMs: number;
}

/** The content of a call; the retry layer adds signal and timeouts. */
export interface CallRequest {
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
  readonly settings?: CallSettings;
  /** Makes what reads the text of an attempt: a retried one starts from the beginning. */
  readonly readText?: () => TextReader;
}

/** One attempt that is about to be sent. */
export interface AttemptStart {
  /** 1 for the first attempt of the call. */
  readonly attempt: number;
  readonly model: Model;
  readonly estimatedInputTokens: number;
  readonly maxOutputTokens: number;
  /** Milliseconds since the Unix epoch. */
  readonly sentAt: number;
}

/** The outcome of an attempt: one record per model round trip. */
export interface AttemptRecord extends AttemptStart {
  readonly outcome:
    | { readonly ok: true; readonly reply: ModelReply }
    | { readonly ok: false; readonly error: ModelError };
  /** As booked. All zero when nothing was used. */
  readonly usage: CallUsage;
  readonly possiblyBilled: boolean;
  readonly elapsedMs: number;
  /** Milliseconds until the next attempt; undefined after the last one. */
  readonly retryInMs: number | undefined;
}

/** One model call with all its attempts. */
export interface ModelCall {
  readonly model: Model;
  readonly request: CallRequest;
  /** Every attempt is paid from here. */
  readonly account: CallAccount;
  /** The lane of the calling completion (`CallTree.lane`). */
  readonly gate: CallGate;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch after which nothing of this call may run. `Infinity` for none. */
  readonly deadline: number;
  /** Milliseconds since the Unix epoch after which no attempt is sent any more. Default: the deadline. */
  readonly sendBy?: number;
  readonly limits: Pick<Limits, 'callTimeoutMs' | 'callIdleTimeoutMs'> &
    Partial<Pick<Limits, 'callFirstByteTimeoutMs'>>;
  readonly signal: AbortSignal;
  /** Awaited after each attempt has been settled, successful or not. */
  readonly onAttempt?: (attempt: AttemptRecord) => void | Promise<void>;
  readonly retry?: Partial<RetryPolicy>;
  /** Called after an attempt that failed. False: what it gave is in use already, so that it must not be repeated. Default true. */
  readonly mayRepeat?: () => boolean;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}
