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
