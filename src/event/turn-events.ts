/**
 * Events of turns, commands and cells.
 *
 * @module
 */

/** A turn begins: the root model is asked. */
export interface TurnStarted {
  readonly type: 'turn.started';
  /** From 1. */
  readonly turn: number;
}

/** A piece of the root model's reply, while the model writes it. Ephemeral: `model.replied` has the whole reply. */
export interface ModelDelta {
  readonly type: 'model.delta';
  readonly turn: number;
  /** From 1, per call: a new attempt starts the reply again, so the text of earlier attempts is void. */
  readonly attempt: number;
  readonly text: string;
}

/**
 * The root model replied. Cells whose fence closed while the rest of the reply arrived may have run before: their events
 * come before this one.
 */
export interface ModelReplied {
  readonly type: 'model.replied';
  readonly turn: number;
  /** The model's id. */
  readonly model: string;
  /** Exactly as emitted, without the reasoning the provider gave apart. */
  readonly text: string;
  readonly reasoning?: string;
  /** e.g. `stop`, `length`; `broken-off` when the stream broke and the text is the part whose cells had begun. */
  readonly finishReason: string;
  /** Milliseconds from asking to the last token, retries included. */
  readonly durationMs: number;
}

/** A command about to be executed. `id` is its stable handle, e.g. `t3.0`. */
export interface CommandParsed {
  readonly type: 'command.parsed';
  readonly turn: number;
  readonly id: string;
  readonly command: { readonly type: string; readonly [key: string]: unknown };
}

/** A command that was not executed: malformed, refused, or after a final answer (`after-final`). */
export interface CommandRejected {
  readonly type: 'command.rejected';
  readonly turn: number;
  /** A code of {@link Rejection}, `refused` or `after-final`. */
  readonly code: string;
  /** The note that the model reads. */
  readonly message: string;
  /** The beginning of what was read. */
  readonly excerpt: string;
}

/** A turn has ended; the feedback is the model's next message. */
export interface TurnCompleted {
  readonly type: 'turn.completed';
  readonly turn: number;
  readonly feedback: string;
  /** Milliseconds. */
  readonly durationMs: number;
}

/** A command begins to run. */
export interface CellStarted {
  readonly type: 'cell.started';
  readonly turn: number;
  readonly id: string;
}

/** A piece of output, as it came. */
export interface CellOutput {
  readonly type: 'cell.output';
  readonly id: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** A command that ran has ended. */
export interface CellCompleted {
  readonly type: 'cell.completed';
  readonly turn: number;
  readonly id: string;
  readonly ok: boolean;
  /** The output that the model was shown. */
  readonly shown: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly error?: { readonly type: string; readonly message: string };
  /** Sub-calls it made. */
  readonly subCalls: number;
  /** Of these. */
  readonly failedSubCalls: number;
  /** Milliseconds, waiting for calls included. */
  readonly durationMs: number;
  readonly timedOut: boolean;
}
