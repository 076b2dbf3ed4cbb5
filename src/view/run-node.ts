/**
 * A run as a tree: the object that `fathom runs show --json` prints, that the page shows and that an export holds. Types
 * only, so that the page and the command share them.
 *
 * @module
 */
import type { ContextFacts, Evidence } from '../event/event.ts';
import type { RunFigures } from '../resume/run-logs.ts';

/** A run as its events report it. */
export interface RunNode {
  readonly runId: string;
  readonly query: string;
  readonly depth: number;
  readonly rootModel: string;
  readonly subCallModel: string;
  readonly backend: string;
  readonly isolation: string;
  /** The worker that ran it for another process. */
  readonly worker?: string;
  readonly contexts: readonly ContextFacts[];
  /** ISO 8601, UTC; empty before its first event. */
  readonly startedAt: string;
  /** Null while it has not ended. */
  readonly end: RunEnd | null;
  /** Of the run and all below it. */
  readonly figures: RunFigures;
  readonly turns: readonly TurnNode[];
  /** The turn whose reply the model still writes. */
  readonly pending: { readonly number: number; readonly startedAt: string } | null;
  /** Model round trips that belong to no turn. */
  readonly besides: readonly BesideNode[];
  /** Everything that is not a turn: limits, warnings, restarts, snapshots, tools. */
  readonly notices: readonly NoticeNode[];
  /** Of its answer, where quotes were asked for. */
  readonly evidence?: Evidence;
}

/** A direct call, the last call at a limit, or a summary of old turns. */
export interface BesideNode {
  readonly purpose: 'direct' | 'final' | 'summary';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Milliseconds, retries included; 0 in the records of versions that did not measure it. */
  readonly durationMs: number;
  readonly usage: NodeUsage;
}

export interface RunEnd {
  readonly outcome: string;
  readonly stop: string;
  readonly reason?: string;
  readonly elapsedMs: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** The beginning of its answer. */
  readonly text?: string;
  /** Characters (UTF-16) of the whole answer, where `text` is cut. */
  readonly textChars?: number;
}

export interface TurnNode {
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly model: string;
  readonly reply: string;
  readonly reasoning?: string;
  /** Milliseconds to the end of the reply. */
  readonly modelMs: number;
  /** Null while the turn runs. */
  readonly durationMs: number | null;
  readonly finishReason: string;
  /** Of the round trips for its reply. */
  readonly usage: NodeUsage;
  readonly commands: readonly CommandNode[];
  readonly rejected: readonly { readonly code: string; readonly message: string }[];
  /** The model's next message; empty after a final answer. */
  readonly feedback: string;
  /** Its variables, one a line, where they are not in the feedback. */
  readonly variables?: string;
}

/** The usage of model round trips. */
export interface NodeUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null when the price is unknown. */
  readonly costUsd: number | null;
  /** Model round trips, retries included. */
  readonly attempts: number;
}

export interface CommandNode {
  readonly id: string;
  readonly command: { readonly type: string; readonly [key: string]: unknown };
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Null while the command runs, and for final answers, which are not cells. */
  readonly ok: boolean | null;
  readonly durationMs: number | null;
  /** The output as the model saw it. */
  readonly shown: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly error?: { readonly type: string; readonly message: string };
  readonly timedOut: boolean;
  readonly subCalls: number;
  readonly failedSubCalls: number;
  /** The sub-calls, in the order in which they were asked for. */
  readonly calls: readonly CallNode[];
  readonly children: readonly RunNode[];
}

/** A sub-call, as the store has it. */
export interface CallNode {
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  /** Null in the records of versions that did not keep prompts, and for a call that was refused at once. */
  readonly messages: readonly { readonly role: string; readonly content: string }[] | null;
  /** ISO 8601, UTC; absent in the records of versions that did not keep it. */
  readonly startedAt?: string;
  /** Null while it is under way, and when the run was stopped before it ended. */
  readonly ok: boolean | null;
  /** Empty when it failed. */
  readonly reply: string;
  readonly reasoning?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly durationMs: number | null;
  /** Model round trips, retries included; 0 for a child and for a call that was not sent. */
  readonly attempts: number;
  readonly childRunId?: string;
}

/** Something that happened beside the turns. */
export interface NoticeNode {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** The turn in which it happened; 0 before the first. */
  readonly turn: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}
