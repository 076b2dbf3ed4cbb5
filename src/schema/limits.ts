/**
 * Limits of validation, each with its unit, its value and why it has it.
 *
 * @module
 */

/**
 * Milliseconds for one validation against a JSON Schema, in its worker thread. A pattern may backtrack for ever, and `uniqueItems`
 * takes the square of the items; an honest answer of 5 MB takes one second. The next check of a schema that was too slow gets half.
 */
export const SCHEMA_CHECK_MS = 3_000;
/** Worker threads that validate, in the whole process: one slow schema must not hold up all others. */
export const SCHEMA_WORKERS = 2;
/** MiB of memory for one of them: many times the largest answer (`answerBytes`). */
export const SCHEMA_MEMORY_MIB = 512;
/** Milliseconds after which an idle one is ended: starting another takes about 40. */
export const SCHEMA_IDLE_MS = 30_000;
