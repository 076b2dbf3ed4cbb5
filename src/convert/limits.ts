/**
 * Limits of conversions, each with its unit, its value and why it has it.
 *
 * @module
 */

/** Milliseconds for the conversion of one file: a PDF of a thousand pages takes about ten seconds. */
export const CONVERSION_MS = 120_000;
/** MiB of JavaScript heap of one converter: a workbook of a hundred megabytes needs half. */
export const CONVERTER_HEAP_MIB = 1_024;
/** MiB of private memory of one converter in all, its heap and the file included, where the system bounds it. */
export const CONVERTER_MEMORY_MIB = 3_072;
/** Bytes that one conversion may make, after unpacking: many times the largest honest document, and the end of bombs. */
export const CONVERSION_BYTES: number = 1_024 * 1_024 * 1_024;
/** Files that one conversion may make: the mails of a large archive, and a bound on what the cache's disk has to hold. */
export const CONVERSION_FILES = 200_000;
/** Bytes of the facts about a conversion: pages, columns, members. */
export const CONVERSION_FACTS_BYTES: number = 64 * 1_024 * 1_024;
/** Converters at work at once in this process: each may use a core and `CONVERTER_MEMORY_MIB`. */
export const MAX_CONVERTERS = 2;
/** Bytes of conversions that are kept, by default, for later runs; the oldest go first. */
export const CONVERSION_CACHE_BYTES: number = 2 * 1_024 * 1_024 * 1_024;

/** Files of one statement of `sql` that DuckDB reads: a join has a handful. */
export const SQL_FILES = 16;
/** Milliseconds that a statement in DuckDB may take, whatever the limit `sqlTimeoutMs` of a cell says. */
export const SQL_PROCESS_MS = 120_000;
/** Bytes of the result of a statement in DuckDB, as JSON: a cell gets them in one piece. */
export const SQL_RESULT_BYTES: number = 16 * 1_024 * 1_024;
/** Threads of DuckDB for one statement: with one, a replayed cell gets the same rows in the same order. */
export const SQL_THREADS = 1;
/** Rows by which the types of the columns of a CSV file are found, in DuckDB. */
export const SQL_SAMPLE_ROWS = 100_000;
