/**
 * The evidence of an answer: quotes from the context, checked by code.
 *
 * @module
 */

/**
 * Where a quote was found. `found`: word for word. `moved`: with other white space, case, hyphenation or quotation marks, or in
 * another document. `not-found`: nowhere in the context.
 */
export type CitationStatus = 'found' | 'moved' | 'not-found';

/** A quote that the model gave with its answer, and where it is. */
export interface Citation {
  /** The document's path, key or index, or the name of a context; where the quote was found, if it was. */
  readonly document: string;
  /** As the model gave it, cut to 2 000 characters. */
  readonly quote: string;
  readonly status: CitationStatus;
  /** Code points from the beginning of the document, as Python counts. Absent where the quote was not found. */
  readonly start?: number;
  readonly end?: number;
}

/** `verified`: every quote is in the context, and there is one. `partly`: some are. `unverified`: none is. */
export type Verdict = 'verified' | 'partly' | 'unverified';

/** The checked evidence of an answer. It says that quotes exist, not that the answer follows from them. */
export interface Evidence {
  readonly verdict: Verdict;
  readonly citations: readonly Citation[];
}

/** The evidence of an answer was checked, at the end of a run. */
export interface EvidenceChecked extends Evidence {
  readonly type: 'evidence.checked';
}

/** How the answer of several attempts was chosen. */
export interface Consensus {
  /** Attempts that were allowed. Fewer are made where a majority agrees before. */
  readonly asked: number;
  /** Ids of the attempts that ended with an answer, or at a limit. */
  readonly runs: readonly string[];
  /** Attempts that gave the chosen answer, after normalisation. */
  readonly votes: number;
  /** `majority`: more than half of `asked`. `judge`: a further run chose. `plurality`: the judge failed, and most attempts decide. */
  readonly decidedBy: 'majority' | 'judge' | 'plurality';
  /** US dollars of all attempts and the judge; null when a price is unknown. */
  readonly costUsd: number | null;
}
