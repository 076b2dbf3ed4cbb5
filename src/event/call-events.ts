/**
 * What events say of calls: sub-calls, tools, model round trips.
 *
 * @module
 */

/** A sub-call got its place. Its prompt is not in the event: it may be the context itself. */
export interface SubCallStarted {
  readonly type: 'subcall.started';
  readonly callId: string;
  readonly kind: 'llm' | 'rlm';
  readonly depth: number;
  readonly model: string;
  readonly promptChars: number;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId: string;
}

/** A sub-call has its reply, or failed. */
export interface SubCallCompleted {
  readonly type: 'subcall.completed';
  readonly callId: string;
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  readonly ok: boolean;
  readonly code?: string;
  readonly childRunId?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly durationMs: number;
}

/** Another model than the one asked for is used. */
export interface SubCallFallback {
  readonly type: 'subcall.fallback';
  readonly configured: string;
  readonly using: string;
  readonly reason: string;
}

/** A tool of the host was called from a cell. */
export interface ToolCompleted {
  readonly type: 'tool.completed';
  readonly name: string;
  /** The key of the journal step, where there is one: equal calls are told apart by it. */
  readonly callId?: string;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId?: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly durationMs: number;
}

/** One model round trip, whatever came of it. */
export interface UsageRecorded {
  readonly type: 'usage.recorded';
  readonly model: string;
  readonly purpose: 'root' | 'sub' | 'final';
  readonly depth: number;
  readonly attempt: number;
  readonly ok: boolean;
  readonly code?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
  readonly costUsd: number | null;
  readonly estimated: boolean;
  readonly possiblyBilled: boolean;
  /** From sending to the end of the reply, where it was measured. */
  readonly durationMs?: number;
}
