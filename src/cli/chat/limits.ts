/**
 * Limits of `fathom chat`: unit, default and reason.
 *
 * @module
 */

/** Seconds a chat's session lives after its last line: a week, so that a chat of Friday can be continued on Monday. */
export const CHAT_LIFETIME_SECONDS: number = 7 * 24 * 60 * 60;

/** Extensions of a chat's session, one for each lifetime in which it is used: in practice it lives as long as it is used. */
export const CHAT_EXTENSIONS = 1_000;

/** Lines that are kept for the arrow keys: what a person still finds by going back. */
export const HISTORY_LINES = 1_000;

/** Characters of earlier questions and answers that a question is sent with: some 2 000 tokens of each reply of the root model. */
export const RECAP_CHARS = 8_000;

/** Characters of one answer in it: the beginning of a long one says what it was about, and code reads the rest. */
export const RECAP_ANSWER_CHARS = 2_000;

/** Exchanges that are looked up when a session is continued: more never fit. */
export const RECAP_EXCHANGES = 50;
