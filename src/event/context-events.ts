/**
 * Events of a conversation that is made smaller so that it fits the model's window.
 *
 * @module
 */

/** Why a conversation is compacted: it nears the window, or the provider refused it for its length. */
export type CompactionCause = 'window' | 'context-length';

interface CompactionBase {
  /** The turn that is about to be asked for. */
  readonly turn: number;
  readonly cause: CompactionCause;
}

/** Parts of the root conversation left the window. `history` in a cell still returns all of them. */
export interface ContextCompacted extends CompactionBase {
  readonly type: 'context.compacted';
  /** Handles of commands whose output was dropped, e.g. `t2.0`. */
  readonly outputs: readonly string[];
  /** Handles of turns that a summary replaces, e.g. `t2`. */
  readonly turnsSummarised: readonly string[];
  /** Characters of that summary; 0 without one. */
  readonly summaryChars: number;
  /** Images of those turns and outputs, which no handle returns. */
  readonly imagesDropped: number;
  /** Estimated tokens of the conversation before. */
  readonly tokensBefore: number;
  /** Estimated tokens of the conversation after all steps. */
  readonly tokensAfter: number;
  /** Tokens that the model takes; null when unknown. */
  readonly window: number | null;
}

/** Parts of the root conversation were cut without a summary. `history` in a cell still returns them. */
export interface ContextTruncated extends CompactionBase {
  readonly type: 'context.truncated';
  /** Handles of turns of which only their line in the table of contents is left. */
  readonly turnsCut: readonly string[];
  /** Handles of turns whose earlier summary was cut. */
  readonly summariesCut: readonly string[];
  /** Handles of the newest turns, whose replies and outputs were shortened. */
  readonly turnsShortened: readonly string[];
  /** Images of the turns that were cut or shortened, which no handle returns. */
  readonly imagesDropped: number;
}

/** A summary of old turns failed: they are cut instead. */
export interface CompactionFailed extends CompactionBase {
  readonly type: 'context.compaction-failed';
  readonly message: string;
}
