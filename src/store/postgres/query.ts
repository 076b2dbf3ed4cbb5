import type { PoolClient, QueryResultRow } from 'pg';

/** One statement with its values, as `$1`, `$2`, … */
export interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** A row to append to a log. Appended rows of one transaction are sent together, in their order. */
export interface Append {
  readonly table: keyof typeof COLUMNS;
  /** As many values as the table has columns. */
  readonly row: readonly unknown[];
}

/** How the parts of a store read and write. */
export interface Access {
  /** Submits a write. @throws StoreError */
  readonly write: (write: Query | Append) => Promise<void>;
  /** Runs a read that sees every write submitted before. @throws StoreError */
  readonly read: <Row extends QueryResultRow>(query: Query) => Promise<readonly Row[]>;
  /** Moves a large value, in a transaction that is not repeated. @throws StoreError */
  readonly large: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;
}

/** Columns of the logs with their types. */
const COLUMNS = {
  events: ['run text', 'seq int', 'identity text', 'body text'],
  journal: ['owner text', 'kind text', 'key text', 'body text'],
} as const;

/** Runs a statement on a connection. */
export async function ask<Row extends QueryResultRow>(
  client: Pick<PoolClient, 'query'>,
  { text, values = [] }: Query,
): Promise<readonly Row[]> {
  return (await client.query<Row>(text, [...values])).rows;
}

/** One statement that appends rows of a table. */
export function appendAll(table: Append['table'], rows: readonly (readonly unknown[])[]): Query {
  const columns = COLUMNS[table];
  const names = columns.map((column) => column.split(' ')[0]).join(', ');
  const arrays = columns.map((column, at) => `$${at + 1}::${column.split(' ')[1]}[]`).join(', ');
  return {
    // The order of the rows is that of their numbers.
    text: `INSERT INTO ${table} (${names}) SELECT ${names} FROM unnest(${arrays}) WITH ORDINALITY AS rows (${names}, place) ORDER BY place`,
    values: columns.map((_, at) => rows.map((row) => row[at])),
  };
}
