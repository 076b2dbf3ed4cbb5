/**
 * The full record of a completion: replies of the model, commands that ran, and their results. Outputs are untruncated.
 *
 * @module
 */
import type { Command } from './protocol/index.ts';

/** A completion from its first turn to its last, children nested under the sub-calls that started them. */
export interface Trajectory {
  /** A ULID. */
  readonly runId: string;
  /** Of a child: the run whose code asked for it. */
  readonly parentRunId?: string;
  /** 0 for the completion the caller started. */
  readonly depth: number;
  /** As it was asked. */
  readonly query: string;
  /** The model's id, `provider/model`; empty when none could be had. */
  readonly rootModel: string;
  /** In order; empty when the run ended before its first reply. */
  readonly turns: readonly Turn[];
  /** The last call at a limit, when there was one. */
  readonly lastCall?: { readonly prompt: string; readonly reply: string };
}

/** One reply of the root model, its commands and their results. */
export interface Turn {
  /** From 1. */
  readonly number: number;
  /** Exactly as emitted. */
  readonly reply: string;
  /** The model's reasoning, where the provider returns it; it is not parsed. */
  readonly reasoning?: string;
  /** Those that were executed, in order. */
  readonly commands: readonly ExecutedCommand[];
  /** The user message that followed; empty after a final answer. */
  readonly feedback: string;
  /** Milliseconds from asking the model to the end of its commands. */
  readonly durationMs: number;
}

/** A command and its outcome. */
export interface ExecutedCommand {
  /** Its stable handle, e.g. `t3.0`. */
  readonly id: string;
  /** The command in the reply. */
  readonly command: Command;
  /** It ran without an error. */
  readonly ok: boolean;
  /** The output as the model saw it. */
  readonly shown: string;
  /** Of a cell or bash command; within `outputBytes`. */
  readonly stdout?: string;
  /** Of a cell or bash command; within `outputBytes`. */
  readonly stderr?: string;
  /** The error's class name and message; the traceback of a cell. */
  readonly error?: { readonly type: string; readonly message: string; readonly traceback?: string };
  /** The calls it made, in the order in which they were asked for. */
  readonly subCalls: readonly SubCall[];
  /** Milliseconds. */
  readonly durationMs: number;
}

/** A model call made from code, or by a QUERY_LLM command. */
export interface SubCall {
  /** Unique in the tree. */
  readonly id: string;
  /** `llm`: a flat call; `rlm`: a child completion, or the flat call it came down to. */
  readonly kind: 'llm' | 'rlm';
  /** The model's id that answered, or should have. */
  readonly model: string;
  /** Bounded to its first and last 2 000 characters. */
  readonly prompt: string;
  /** Empty when the call failed. */
  readonly reply: string;
  /** It has a reply. */
  readonly ok: boolean;
  /** A stable code and a message, when it failed. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Tokens and US dollars; null when the price is unknown. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number | null };
  /** Milliseconds. */
  readonly durationMs: number;
  /** The child completion of an `rlm_query`. */
  readonly child?: Trajectory;
}
