import { isNumberWithDigits } from '../../json-digits.ts';
import type { JsonSchema } from '../../schema/json-schema.ts';
import type { AnswerFormat } from './answer-format.ts';
import { columnNames } from './fits-table.ts';

/** An answer in pieces of text, or why the format cannot hold it. */
export type Written =
  | { readonly fits: true; readonly pieces: Iterable<string> }
  | { readonly fits: false; readonly why: string };

/** Writes a typed answer in a format. */
export function writtenAs(answer: unknown, format: AnswerFormat, schema: JsonSchema | undefined): Written {
  if (format === 'json') return { fits: true, pieces: [`${JSON.stringify(answer, null, 2)}\n`] };
  if (!Array.isArray(answer)) return { fits: false, why: 'the answer is not a list' };
  const items: readonly unknown[] = answer;
  if (format === 'jsonl') return { fits: true, pieces: lines(items) };
  for (const [at, item] of items.entries()) {
    const why = whyNoRow(item);
    if (why !== undefined) return { fits: false, why: `item ${at + 1} of the answer ${why}` };
  }
  return { fits: true, pieces: rows(items as readonly Row[], schema === undefined ? [] : columnNames(schema)) };
}

type Row = Readonly<Record<string, unknown>>;

function* lines(items: readonly unknown[]): Generator<string> {
  for (const item of items) yield `${JSON.stringify(item)}\n`;
}

/** The columns of the schema in its order, then the others in the order in which they first appear. */
function* rows(items: readonly Row[], stated: readonly string[]): Generator<string> {
  const names = new Set(stated);
  for (const item of items) for (const name of Object.keys(item)) names.add(name);
  if (names.size === 0) return;
  const columns = [...names];
  yield line(columns.map(cell));
  for (const item of items)
    yield line(columns.map((column) => cell(Object.hasOwn(item, column) ? item[column] : null)));
}

/** RFC 4180 with line feeds. */
function line(cells: readonly string[]): string {
  // An empty line is a row to some readers and nothing to others.
  return `${cells.length === 1 && cells[0] === '' ? '""' : cells.join(',')}\n`;
}

/** A missing value and null are empty; the empty text has quotes. */
function cell(value: unknown): string {
  if (value === null) return '';
  if (typeof value !== 'string') return JSON.stringify(value);
  return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function whyNoRow(item: unknown): string | undefined {
  if (!isPlainObject(item)) return 'is not an object';
  const nested = Object.entries(item).find(([, value]) => isNested(value));
  return nested === undefined ? undefined : `has a list or an object in ${JSON.stringify(nested[0])}`;
}

/** Numbers that keep their digits are objects which are written as numbers. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isNumberWithDigits(value);
}

function isPlainObject(value: unknown): value is Row {
  return isNested(value) && !Array.isArray(value);
}
