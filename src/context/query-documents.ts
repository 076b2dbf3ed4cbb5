/**
 * Statements of `sql` over documents that are too large for SQLite in the REPL: DuckDB runs them over the files.
 *
 * @module
 */
import type { FileHandle } from 'node:fs/promises';
import { isObject } from '../argument-checks.ts';
import { queued } from '../convert/convert-file.ts';
import { runStatement, type StatementFile } from '../convert/duckdb/run-statement.ts';
import {
  SMALL_TYPES,
  type SmallTable,
  type Statement,
  type StatementValue,
  type TableForm,
} from '../convert/duckdb/statement.ts';
import { CONVERTER_MEMORY_MIB } from '../convert/limits.ts';
import { type CheckedFile, openRegular } from '../regular-file.ts';
import type { FileValue, JsonValue } from '../repl/port.ts';
import { shownName } from './file-words.ts';

interface LargeDocument {
  readonly path: string;
  readonly file: FileValue;
}

/** A statement as a cell asks for it, checked: it is untrusted. */
interface Asked extends Statement {
  readonly timeoutMs: number;
  /** Names in SQL, and the places of their documents. */
  readonly tables: readonly (readonly [name: string, place: number])[];
}

const STATEMENT = /^\d+ sql /;

/** Whether a key of a projection of documents is a statement: `0 sql {…}`. */
export function isStatement(key: string): boolean {
  return STATEMENT.test(key);
}

/** The outcome of a statement, as JSON text that the guest parses: integers keep their digits. */
export async function queryDocuments(documents: readonly LargeDocument[], key: string): Promise<JsonValue> {
  const { tables, ...statement } = readAsked(key.replace(STATEMENT, ''));
  await using handles = new AsyncDisposableStack();
  const files: StatementFile[] = [];
  for (const [name, place] of tables) {
    const document = documents[place];
    if (document === undefined) throw wrong(`there is no document ${place}`);
    const form = formOf(document);
    const handle: FileHandle = handles.use(await openRegular(checked(document.file)));
    files.push({ name, form, fd: handle.fd });
  }
  try {
    return { text: await queued(() => runStatement({ ...statement, files })) };
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error), error);
  }
}

function checked({ path, identity }: FileValue): CheckedFile {
  return { path, ...(identity !== undefined && { identity }) };
}

/** Parquet, or lines of cells in UTF-8. */
function formOf({ path, file }: LargeDocument): TableForm {
  if (file.converts === 'parquet') return 'parquet';
  const end = /\.(csv|tsv|tab)$/i.exec(path)?.[1]?.toLowerCase();
  if (end === undefined || file.as !== 'text') throw wrong(`${shownName(path)} is neither Parquet nor CSV`);
  if (file.encoding !== 'utf-8') throw wrong(`${shownName(path)} is not UTF-8: convert it first`);
  return end === 'csv' ? 'csv' : 'tsv';
}

function readAsked(json: string): Asked {
  let asked: unknown;
  try {
    asked = JSON.parse(json);
  } catch (error) {
    throw wrong('the statement is not JSON', error);
  }
  if (!isObject(asked) || typeof asked.text !== 'string' || !isObject(asked.tables))
    throw wrong('the statement lacks its text or its tables');
  const tables = Object.entries(asked.tables).map(([name, place]): readonly [string, number] => [name, Number(place)]);
  const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : Number.MAX_SAFE_INTEGER);
  return {
    text: asked.text,
    values: readValues(asked.values),
    memoryBytes: Math.min(count(asked.memoryBytes), CONVERTER_MEMORY_MIB * 1_048_576),
    maxRows: count(asked.maxRows),
    timeoutMs: count(asked.timeoutMs),
    small: Array.isArray(asked.small) ? asked.small.map(readSmall) : [],
    tables,
  };
}

function readSmall(table: unknown): SmallTable {
  if (!isObject(table) || !Array.isArray(table.columns) || !Array.isArray(table.rows))
    throw wrong('a table lacks its rows');
  const columns = table.columns.map((column: unknown): SmallTable['columns'][number] => {
    const [name, stated] = Array.isArray(column) ? column : [];
    const type = SMALL_TYPES.find((one) => one === stated);
    if (typeof name !== 'string' || type === undefined) throw wrong('a column lacks its name or its type');
    return { name, type };
  });
  const rows = table.rows.map((row: unknown) => {
    if (!Array.isArray(row) || row.length !== columns.length) throw wrong('a row has other columns');
    return row.map(readValue);
  });
  return { name: String(table.name), columns, rows };
}

function readValues(values: unknown): Statement['values'] {
  if (Array.isArray(values)) return values.map(readValue);
  if (!isObject(values)) return [];
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, readValue(value)]));
}

function readValue(value: unknown): StatementValue {
  if (isObject(value) && typeof value.integer === 'string' && /^-?\d{1,1000}$/.test(value.integer))
    return { type: 'integer', digits: value.integer };
  if (typeof value === 'number') return { type: 'number', value };
  if (typeof value === 'boolean') return { type: 'boolean', value };
  return typeof value === 'string' ? { type: 'text', value } : { type: 'null' };
}

function wrong(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name: 'ValueError' });
}
