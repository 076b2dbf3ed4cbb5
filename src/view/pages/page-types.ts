/**
 * The pieces in which a page gets a run. Every piece is bounded: long texts are cut and have a handle, long lists come in
 * pages. Times are milliseconds from the start of the root run.
 *
 * @module
 */
import type { Citation, ContextFacts, Verdict } from '../../event/event.ts';
import type { RunDocument } from '../run-document.ts';
import type { RunFacts } from '../run-facts.ts';
import type { BesideNode, NodeUsage, NoticeNode } from '../run-node.ts';

/** A text, or the beginning of one. */
export interface CutText {
  readonly text: string;
  /** Characters (UTF-16) of the whole text. */
  readonly chars: number;
  /** The handle of the whole text. */
  readonly ref: string;
}

/** A part of a list, and where the next part begins; null at its end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}

/** A run in a list: bounded, whatever it was asked and answered. */
export interface RunBrief {
  readonly id: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly stop: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly turns: number;
  readonly subCalls: number;
  /** In and out. */
  readonly tokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  /** Null while it has not ended. */
  readonly elapsedMs: number | null;
  readonly model: string;
  /** The beginning of the question. */
  readonly query: string;
  /** The beginning of the answer; empty without one. */
  readonly answer: string;
}

/** Which runs to list. */
export interface BriefQuery {
  /** Part of the id, question or answer, upper and lower case alike; empty: all. */
  readonly text: string;
  /** The id of a run: only runs that are older. */
  readonly before?: string;
}

/** One page of a list of runs, and whether there are more. */
export interface BriefPage {
  readonly items: readonly RunBrief[];
  readonly more: boolean;
}

/** The head of a run. */
export interface Overview {
  readonly facts: Omit<RunFacts, 'query'>;
  readonly origin: RunDocument['origin'];
  readonly leftOut: string | null;
  readonly query: CutText;
  readonly answer: CutText | null;
  /** Null where no quotes were asked for. */
  readonly evidence: EvidenceView | null;
  readonly subModels: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly backend: string;
  readonly isolation: string;
  readonly contexts: readonly ContextFacts[];
  /** ISO 8601: the moment that all times are counted from. */
  readonly startedAt: string;
  /** Milliseconds from the start to the last thing that is known. */
  readonly spanMs: number;
  /** Runs, flat calls and turns of the whole tree. */
  readonly counts: {
    readonly runs: number;
    readonly calls: number;
    readonly failedCalls: number;
    readonly turns: number;
  };
  /** The share of each kind of work. Calls overlap: their sum may exceed the span. */
  readonly work: Work;
}

/** The checked quotes of an answer: the first of them, with the beginning of each. */
export interface EvidenceView {
  readonly verdict: Verdict;
  /** Quotes that are in the context, word for word or nearly. */
  readonly found: number;
  readonly total: number;
  readonly citations: readonly Pick<Citation, 'document' | 'quote' | 'status'>[];
}

/** Milliseconds and US dollars by kind of work. */
export interface Work {
  /** The REPL was started and the context was loaded. */
  readonly startMs: number;
  /** The root model writes: turns, a direct call, the last call at a limit, summaries. */
  readonly modelMs: number;
  /** Cells run while no sub-call is in flight. */
  readonly codeMs: number;
  /** Cells wait for sub-calls: the union of their times. */
  readonly callsMs: number;
  readonly modelUsd: number | null;
  readonly callsUsd: number | null;
}

/** One run of the tree, root first. */
export interface RunLine {
  readonly id: string;
  /** Null for the root. */
  readonly parent: string | null;
  /** The key of the command that started it; null for the root. */
  readonly command: string | null;
  readonly depth: number;
  readonly query: CutText;
  readonly answer: CutText | null;
  readonly model: string;
  /** Null while it has not ended. */
  readonly outcome: string | null;
  readonly stop: string | null;
  readonly reason: string | null;
  readonly at: number;
  readonly ms: number | null;
  readonly turns: number;
  readonly subCalls: number;
  readonly tokens: number;
  readonly costUsd: number | null;
  readonly pending: { readonly number: number; readonly at: number } | null;
  /** Model round trips that belong to no turn. */
  readonly besides: readonly BesideLine[];
  readonly notices: readonly NoticeLine[];
}

export interface BesideLine extends NodeUsage, Pick<BesideNode, 'purpose'> {
  readonly at: number;
  readonly ms: number;
}

export interface NoticeLine extends Pick<NoticeNode, 'turn' | 'level' | 'text'> {
  readonly at: number;
}

/** One turn of one run. */
export interface TurnView {
  /** Its handle: `<run>/t3`. */
  readonly key: string;
  readonly number: number;
  readonly at: number;
  readonly modelMs: number;
  /** Null while it runs. */
  readonly ms: number | null;
  readonly model: string;
  readonly finishReason: string;
  readonly usage: NodeUsage;
  /** Of its sub-calls and children. */
  readonly callsUsd: number | null;
  readonly reasoning: CutText | null;
  readonly reply: CutText;
  /** The reply in order: prose, and the commands it gave. */
  readonly parts: readonly TurnPart[];
  readonly rejected: readonly { readonly code: string; readonly message: string }[];
  readonly feedback: CutText | null;
  /** The lines of the feedback about variables. */
  readonly variables: string | null;
}

export type TurnPart =
  | { readonly kind: 'prose'; readonly text: CutText }
  | { readonly kind: 'command'; readonly command: CommandView };

export interface CommandView {
  /** Its handle: `<run>/t3.0`. */
  readonly key: string;
  readonly id: string;
  readonly type: string;
  readonly source: CutText;
  readonly language: 'python' | 'bash' | 'json' | 'text';
  readonly at: number;
  readonly ms: number | null;
  /** Null while it runs, and for answers. */
  readonly ok: boolean | null;
  readonly timedOut: boolean;
  readonly shown: CutText | null;
  /** Where the model saw less than this. */
  readonly stdout: CutText | null;
  readonly stderr: CutText | null;
  readonly error: { readonly type: string; readonly message: CutText } | null;
  readonly calls: number;
  readonly failedCalls: number;
  readonly callTokens: number;
  readonly callsUsd: number | null;
  /** Run ids, in order. */
  readonly children: readonly string[];
}

/** One sub-call of the tree. */
export interface CallLine {
  /** Its handle: `<run>/t3.0/c12`. */
  readonly key: string;
  /** The depth of the run that made it. */
  readonly depth: number;
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  /** Null while it is in flight, or was when the run stopped. */
  readonly ok: boolean | null;
  readonly code: string | null;
  /** Beginnings, on one line. */
  readonly prompt: string;
  readonly reply: string;
  readonly promptChars: number;
  readonly replyChars: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly at: number;
  readonly ms: number | null;
  readonly attempts: number;
  /** The child run. */
  readonly child: string | null;
}

/** A place where a text was found. */
export interface Match {
  /** The handle of the turn, command, call or run. */
  readonly key: string;
  /** The handle of the text. */
  readonly ref: string;
  /** A field in words, e.g. `output`. */
  readonly field: string;
  readonly before: string;
  readonly hit: string;
  readonly after: string;
}

export interface Matches {
  readonly items: readonly Match[];
  /** There are more than are listed. */
  readonly more: boolean;
}
