import { DatabaseSync } from 'node:sqlite';
import { type Input, Refusal } from './input.ts';
import type { Output } from './output.ts';
import { cellValue } from './values.ts';

/** The tables with their rows; the text is the schema. Views and virtual tables run code of the file: only their SQL is read. */
export async function convertSqlite(input: Input, output: Output): Promise<void> {
  // Immutable: no lock, no journal, no write-ahead log beside it is looked at.
  const database = new DatabaseSync(`file:${input.path}?immutable=1`, {
    readOnly: true,
    enableDoubleQuotedStringLiterals: false,
  });
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;');
  const schema = database
    .prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")
    .all() as unknown as readonly { readonly type: string; readonly name: string; readonly sql: string | null }[];
  for (const { sql } of schema) if (sql !== null) output.text(`${sql};\n`);
  let left = 0;
  for (const { type, name, sql } of schema) {
    if (type === 'view' || /^\s*CREATE\s+VIRTUAL/i.test(sql ?? '')) left += 1;
    else if (type === 'table') writeTable(database, name, output);
  }
  if (left > 0) output.note(`${left} views and virtual tables have their SQL in the text and no rows`);
  database.close();
}

function writeTable(database: DatabaseSync, name: string, output: Output): void {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const statement = database.prepare(`SELECT * FROM ${quoted}`);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name: column }) => column);
  if (columns.length === 0) throw new Refusal(`its table ${name} has no columns`);
  const table = output.table(name, columns);
  for (const row of statement.iterate() as Iterable<unknown>) table.row((row as readonly unknown[]).map(cellValue));
  table.end();
}
