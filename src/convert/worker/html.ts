import { filledRow } from './columns.ts';
import { decoded } from './decode.ts';
import { htmlText } from './html-text.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';

/** The readable text of a page; its tables, and its links as the last table. */
export async function convertHtml(input: Input, output: Output): Promise<void> {
  const { title, text, links, tables } = htmlText(decoded(input.whole()));
  output.title = title;
  output.text(text);
  for (const [at, { columns, rows }] of tables.entries()) {
    const table = output.table(`table ${at + 1}`, columns);
    for (const row of rows) table.row(filledRow(row, columns.length));
    table.end();
  }
  if (links.length === 0) return;
  const table = output.table('links', ['text', 'url']);
  for (const link of links) table.row(link);
  table.end();
}
