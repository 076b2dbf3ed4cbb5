/**
 * A statement over files, as the process that runs it gets it, and its outcome.
 *
 * @module
 */

/** How a file holds its table. */
export type TableForm = 'parquet' | 'csv' | 'tsv';

/** A value of a statement: integers as their digits, which a number may not hold. */
export type StatementValue =
  | { readonly type: 'null' }
  | { readonly type: 'integer'; readonly digits: string }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean };

/** A statement and its limits. */
export interface Statement {
  readonly text: string;
  /** By their place, or by their name. */
  readonly values: readonly StatementValue[] | Readonly<Record<string, StatementValue>>;
  readonly memoryBytes: number;
  readonly maxRows: number;
  /** Small tables of the REPL that the statement names besides. */
  readonly small?: readonly SmallTable[];
}

/** The types of columns of a small table. */
export const SMALL_TYPES = ['BIGINT', 'DOUBLE', 'VARCHAR'] as const;

/** A table that comes with the statement. */
export interface SmallTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: (typeof SMALL_TYPES)[number] }[];
  readonly rows: readonly (readonly StatementValue[])[];
}

/** The input of the process, as JSON. */
export interface StatementRequest extends Statement {
  /** The main file of `@duckdb/node-api`. */
  readonly library: string;
  readonly tables: readonly { readonly name: string; readonly form: TableForm; readonly path: string }[];
}

/** Its output where a statement fails; else `columns` and `rows`. */
export interface StatementFailure {
  readonly error: 'statement' | 'timeout' | 'memory';
  readonly message: string;
}
