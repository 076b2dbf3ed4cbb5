/**
 * Limits of checking evidence.
 *
 * @module
 */

/** Citations of one answer: more say less, and each is searched for in every document. */
export const MAX_CITATIONS = 100;
/** Characters of a quote in events and records. */
export const CITED_QUOTE_CHARS = 2_000;
/** Citations that a note to the model lists when they are not found, and characters of each: enough to recognise them. */
export const NAMED_CITATIONS = 5;
export const NAMED_QUOTE_CHARS = 200;
/** Characters of a quote that count as evidence anywhere in a document: a shorter one counts only where it was said to be. */
export const LEAST_QUOTE_CHARS = 8;
/** Characters of all documents that are searched with other white space, case and hyphenation; above, only those named. */
export const LOOSE_SEARCH_CHARS: number = 64 * 1024 * 1024;
/** Attempts of one `consensus`, at most: an error that all attempts make is not found by more of them. */
export const MAX_CONSENSUS = 9;
/** Characters of the evidence of one answer that a judge reads. */
export const CONSENSUS_EVIDENCE_CHARS = 8_000;
