/**
 * Limits of a session's life: unit, default and reason.
 *
 * @module
 */

const MINUTE = 60_000;

/** Milliseconds a session lives, and that each extension adds. Long enough for working, short enough that a forgotten one does not hold its memory for a day. */
export const DEFAULT_LIFETIME_MS: number = 30 * MINUTE;

/** Extensions of one session. */
export const DEFAULT_EXTENSIONS = 3;

/** Milliseconds. A hundred years: a longer lifetime is a mistake, and its end is not a valid date. */
export const LONGEST_LIFETIME_MS: number = 100 * 365 * 24 * 60 * MINUTE;

/**
 * Milliseconds between `close()` and the kill of a REPL whose cell does not stop: `close()` ends within a second, and an
 * interrupted cell needs far less.
 */
export const CLOSE_GRACE_MS = 400;
