/** The commands a reply can give on a line of its own. */
export type CommandName =
  | 'FINAL'
  | 'FINAL_VAR'
  | 'RUN'
  | 'CODE'
  | 'SNAPSHOT'
  | 'ROLLBACK'
  | 'QUERY_LLM'
  | 'QUERY_LLM_BATCHED';

/** Why a command was not taken. Stable: events and tests name it. */
export type RejectionCode =
  | 'answer-in-prose'
  | 'cut-off'
  | 'empty'
  | 'extra-arguments'
  | 'invalid-item'
  | 'invalid-list'
  | 'invalid-name'
  | 'invented-output'
  | 'not-at-line-start'
  | 'quotation'
  | 'tool-call'
  | 'trailing-text'
  | 'unbalanced'
  | 'unclosed-reasoning';

/** An invalid command, in words made for the model that wrote it. */
export interface Rejection {
  readonly code: RejectionCode;
  /** One sentence: what was read, what is wrong with it, the right form. */
  readonly message: string;
  /** The start of what was read, on one line, at most 80 characters and an ellipsis. */
  readonly excerpt: string;
  /** The reply that the model most likely meant, in the right form: it can be sent as it is. */
  readonly send?: string;
}

/** How the argument of `FINAL(…)` was written; it decides where the answer comes from: docs/reply-protocol.md. */
export type FinalForm = 'literal' | 'identifier' | 'f-string' | 'text';

/** One prompt of a batch: the text alone, or with the options `llm_query` takes in code. */
export type BatchItem = string | BatchQuery;

/** A prompt of a batch with its options, named as in the guest's `llm_query`. */
export interface BatchQuery {
  readonly prompt: string;
  readonly model?: string;
  readonly system?: string;
  /** Most tokens the sub-call may put out; a positive integer. */
  readonly max_tokens?: number;
}

/** One thing a reply asks for. `value` of a final answer is its text, the variable's name, or the f-string's source. */
export type Command =
  | { readonly type: 'cell'; readonly code: string }
  | { readonly type: 'bash'; readonly command: string }
  | { readonly type: 'final'; readonly form: FinalForm; readonly value: string }
  | { readonly type: 'final-var'; readonly name: string }
  | { readonly type: 'snapshot'; readonly name: string }
  | { readonly type: 'rollback'; readonly name: string }
  | { readonly type: 'query-llm'; readonly prompt: string }
  | { readonly type: 'query-llm-batched'; readonly items: readonly BatchItem[] };

/** The commands of a reply, or of a piece of one: valid and invalid ones, each list in document order. */
export interface ParsedReply {
  readonly commands: readonly Command[];
  readonly rejected: readonly Rejection[];
}

/** One command of a reply, as the parser judged it. */
export type Outcome =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'rejection'; readonly rejection: Rejection };

/** A kind of outcome that is held back: the first kind that is there counts alone, in this order. */
export type HeldKind = 'untagged' | 'reasoning' | 'mention' | 'answer';

/** Lets outcomes out when they are certain: an outcome that is out cannot be taken back. */
export interface OutcomeGate {
  /**
   * Emits a command that has closed, valid or not. Commands that were held back are dropped. A quotation is not a
   * command: it waits for one, or for the end.
   */
  readonly give: (outcome: Outcome) => void;
  /**
   * Holds an outcome that counts only if no command comes: a block without a tag, commands inside reasoning that never
   * closed, a command in the middle of a line, an answer in a sentence. Of these kinds the first that is there counts.
   */
  readonly hold: (kind: HeldKind, outcome: Outcome) => void;
  /** True once something was given; from then on nothing is held. */
  readonly settled: () => boolean;
  /** True while something of that kind is held. */
  readonly holds: (kind: HeldKind) => boolean;
  /** Forgets what is held. */
  readonly drop: () => void;
  /** At the end: lets out what counts of what was held. */
  readonly finish: () => void;
}
