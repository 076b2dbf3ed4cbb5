/**
 * Events of calls: sub-calls, tools, model round trips.
 *
 * @module
 */

/** A sub-call got its place. Its prompt is not in the event: it may be the context itself. */
export interface SubCallStarted {
  readonly type: 'subcall.started';
  readonly callId: string;
  readonly kind: 'llm' | 'rlm';
  /** The depth at which it runs, from 1. */
  readonly depth: number;
  readonly model: string;
  /** UTF-16 code units; of a child's context that came as a file its bytes. */
  readonly promptChars: number;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId: string;
  /** Images in the prompt; the bytes are in no event. */
  readonly images?: number;
  /** The batch it is an item of, and how many items that has. Ids are unique in a run. */
  readonly batch?: { readonly id: number; readonly count: number };
}

/** A sub-call has its reply, or failed. */
export interface SubCallCompleted {
  readonly type: 'subcall.completed';
  readonly callId: string;
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  readonly ok: boolean;
  /** Why it failed, a stable code. */
  readonly code?: string;
  /** The run of a child completion. */
  readonly childRunId?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null when the price is unknown. */
  readonly costUsd: number | null;
  /** Milliseconds. */
  readonly durationMs: number;
}

/** The number of sub-calls so far, without those that a limit refused: they were never sent. */
export function subCallsIn({ type, code }: { readonly type: string; readonly code?: string }): number {
  if (type === 'subcall.started') return 1;
  return type === 'subcall.completed' && code === 'budget' ? -1 : 0;
}

/** Another model than the one asked for is used. */
export interface SubCallFallback {
  readonly type: 'subcall.fallback';
  readonly configured: string;
  readonly using: string;
  readonly reason: string;
}

/** A fact about a model or its endpoint that the caller should know. Once for each run, model and kind. */
export interface ModelNotice {
  readonly type: 'model.notice';
  readonly model: string;
  /**
   * `input-truncated`: the endpoint read less than was sent. `unknown-finish-reason`: it ended a reply for a reason of its
   * own. The others: it refused a part of the request, and is asked in another form from now on.
   */
  readonly kind:
    | 'input-truncated'
    | 'unknown-finish-reason'
    | 'rename'
    | 'omit'
    | 'no-stream'
    | 'max-output'
    | 'window';
  readonly message: string;
}

/** A tool of the host is about to be called from a cell. After a resume, a call without a result is made and reported again. */
export interface ToolStarted {
  readonly type: 'tool.started';
  readonly name: string;
  /** The key of the call, as `execute` gets it (`toolCallId`): the same after a resume. */
  readonly callId: string;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId: string;
  /** The call had begun before the run was interrupted: the tool may have acted already. */
  readonly repeated?: boolean;
}

/** A tool of the host was called from a cell. */
export interface ToolCompleted {
  readonly type: 'tool.completed';
  readonly name: string;
  /** The key of the call, see {@link ToolStarted}; absent in records of 0.1.0. */
  readonly callId?: string;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId?: string;
  readonly ok: boolean;
  /** The message, as raised in the cell. */
  readonly error?: string;
  /** The call had begun before the run was interrupted: the tool may have acted twice. */
  readonly repeated?: boolean;
  /** Milliseconds. */
  readonly durationMs: number;
}

/** One model round trip, whether it succeeded or failed. */
export interface UsageRecorded {
  readonly type: 'usage.recorded';
  readonly model: string;
  /** A turn, a sub-call, the last call at a limit, or a summary of old turns. */
  readonly purpose: 'root' | 'sub' | 'final' | 'summary';
  readonly depth: number;
  /** From 1: retries are round trips of their own. */
  readonly attempt: number;
  readonly ok: boolean;
  readonly code?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
  /** US dollars; null when the price is unknown. */
  readonly costUsd: number | null;
  /** The provider did not say: tokens are estimates. */
  readonly estimated: boolean;
  /** It may have been charged for an answer that never arrived whole. */
  readonly possiblyBilled: boolean;
  /** From sending to the end of the reply, where it was measured. */
  readonly durationMs?: number;
  /** The failure, finer than the code, e.g. `rate-limit` or `unreachable`. */
  readonly fault?: string;
  /** Milliseconds until the next attempt; absent when this is the last one. */
  readonly retryInMs?: number;
}
