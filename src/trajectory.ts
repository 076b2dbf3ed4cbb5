/**
 * The full record of a completion: what the model said, what was run, what came of it. Outputs are untruncated.
 *
 * @module
 */
import type { Command } from './protocol/index.ts';

/** A completion from its first turn to its last, children nested under the sub-calls that started them. */
export interface Trajectory {
  readonly runId: string;
  readonly parentRunId?: string;
  /** 0 for the completion the caller started. */
  readonly depth: number;
  readonly query: string;
  readonly rootModel: string;
  readonly turns: readonly Turn[];
  /** The last call at a limit, when there was one. */
  readonly lastCall?: { readonly prompt: string; readonly reply: string };
}

/** One root-model reply and what came of it. */
export interface Turn {
  /** From 1. */
  readonly number: number;
  /** Exactly as emitted. */
  readonly reply: string;
  readonly reasoning?: string;
  readonly commands: readonly ExecutedCommand[];
  /** The user message that followed; empty after a final answer. */
  readonly feedback: string;
  readonly durationMs: number;
}

/** A command and its outcome. */
export interface ExecutedCommand {
  /** Its stable handle, e.g. `t3.0`. */
  readonly id: string;
  readonly command: Command;
  readonly ok: boolean;
  /** What the model was shown. */
  readonly shown: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly error?: { readonly type: string; readonly message: string; readonly traceback?: string };
  readonly subCalls: readonly SubCall[];
  readonly durationMs: number;
}

/** A model call made from code, or by a QUERY_LLM command. */
export interface SubCall {
  readonly id: string;
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  /** Bounded to its first and last 2 000 characters. */
  readonly prompt: string;
  readonly reply: string;
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number | null };
  readonly durationMs: number;
  /** The child completion of an `rlm_query`. */
  readonly child?: Trajectory;
}
