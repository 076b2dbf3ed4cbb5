import type { DuckDBConnection } from '@duckdb/node-api';
import type { StatementRequest } from '../duckdb/statement.ts';
import { SQL_SAMPLE_ROWS } from '../limits.ts';

type FileTable = StatementRequest['tables'][number];

/** Makes a view of a file. A CSV file has a second one, behind `_text`, whose columns are all text. */
export async function createTable(connection: DuckDBConnection, { name, form, path }: FileTable): Promise<void> {
  if (form === 'parquet') {
    await connection.run(`create view ${quoted(name)} as select * from read_parquet('${path}')`);
    return;
  }
  const delimiter = form === 'tsv' ? String.raw`, delim = '\t'` : '';
  const text = quoted(`${name}_text`);
  // Lines within quotes and short rows together are read by one thread alone.
  const cells = `read_csv('${path}', header = true, all_varchar = true, null_padding = true, parallel = false${delimiter})`;
  const columns = await columnsOf(connection, cells);
  await connection.run(`create view ${text} as select ${columns.map(asText).join(', ')} from ${cells}`);
  const types = await typesOf(connection, columns, text);
  const typed = columns.map((column, at) => asType(column, types[at]));
  await connection.run(`create view ${quoted(name)} as select ${typed.join(', ')} from ${text}`);
}

async function columnsOf(connection: DuckDBConnection, from: string): Promise<readonly string[]> {
  return (await connection.run(`select * from ${from} limit 0`)).columnNames();
}

type ColumnType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR';

const INTEGER = String.raw`[+-]?(0|[1-9]\d{0,17})`;
const FLOAT = String.raw`[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?`;
const DIGITS = String.raw`[+-]?\d+`;
const LEADING_ZERO = String.raw`[+-]?0\d.*`;

/** The types that the guest gives the columns of a CSV file (`typed` in `tables.py`), by the first rows. */
async function typesOf(
  connection: DuckDBConnection,
  columns: readonly string[],
  from: string,
): Promise<readonly ColumnType[]> {
  const rows = await connection.runAndReadAll(
    `select ${columns.map(typeOf).join(', ')} from (select * from ${from} limit ${SQL_SAMPLE_ROWS})`,
  );
  return (rows.getRows()[0] ?? []).map((type) => type as ColumnType);
}

/** An expression of the type that all filled cells of a column have. */
function typeOf(column: string): string {
  const cell = `trim(${quoted(column)})`;
  const all = (condition: string): string => `coalesce(bool_and(${condition}) filter (where ${cell} <> ''), false)`;
  const matches = (pattern: string): string => `regexp_full_match(${cell}, '${pattern}')`;
  const float = `${matches(FLOAT)} and not ${matches(LEADING_ZERO)} and length(${cell}) <= 25`;
  return `case when ${all(matches(INTEGER))} then 'BIGINT'
    when ${all(float)} and not ${all(matches(DIGITS))} then 'DOUBLE'
    when ${all(`lower(${cell}) in ('true', 'false')`)} then 'BOOLEAN' else 'VARCHAR' end`;
}

function asText(column: string): string {
  return `coalesce(${quoted(column)}, '') as ${quoted(column)}`;
}

function asType(column: string, type: ColumnType = 'VARCHAR'): string {
  const name = quoted(column);
  return type === 'VARCHAR' ? name : `cast(nullif(trim(${name}), '') as ${type}) as ${name}`;
}

/** A name in quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
