import { isObject } from '../argument-checks.ts';
import type { JsonValue } from '../repl/port.ts';
import type { Conversion, ConvertedMember, ConvertedTable, ConvertedText } from './conversion.ts';
import { ConversionError } from './conversion-error.ts';
import { isConvertedKind } from './kinds.ts';

/**
 * The facts of a conversion, checked: files are numbers of files that exist.
 *
 * @throws ConversionError for every other value
 */
export function readConversion(value: unknown, files: number): Conversion {
  const facts = record(value);
  const { kind, title, text, pages, tables, members, notes } = facts;
  if (!isConvertedKind(kind)) throw invalid('kind');
  return {
    kind,
    ...(title !== undefined && { title: string(title) }),
    meta: record(facts.meta) as Readonly<Record<string, JsonValue>>,
    ...(text !== undefined && { text: readText(record(text), files) }),
    ...(pages !== undefined && { pages: list(pages).map((page) => count(page)) }),
    tables: list(tables).map((table) => readTable(record(table), files)),
    members: list(members).map((member) => readMember(record(member), files)),
    notes: list(notes).map(string),
  };
}

type Facts = Readonly<Record<string, unknown>>;

function readText({ file, characters, lines }: Facts, files: number): ConvertedText {
  return { file: fileNumber(file, files), characters: count(characters), lines: count(lines) };
}

function readTable({ name, columns, rows, file, parts }: Facts, files: number): ConvertedTable {
  const facts = { name: string(name), columns: list(columns).map(string), rows: count(rows) };
  if (parts === undefined) return { ...facts, file: fileNumber(file, files) };
  const counts = list(parts).map(count);
  if (counts.reduce((sum, one) => sum + one, 0) !== facts.rows) throw invalid('number of rows');
  return { ...facts, parts: counts };
}

function readMember({ path, file, title, meta }: Facts, files: number): ConvertedMember {
  return {
    path: string(path),
    file: fileNumber(file, files),
    ...(title !== undefined && { title: string(title) }),
    ...(meta !== undefined && { meta: record(meta) as Readonly<Record<string, JsonValue>> }),
  };
}

function fileNumber(value: unknown, files: number): number {
  const number = count(value);
  if (number < 1 || number > files) throw invalid('file');
  return number;
}

function count(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid('number');
}

function string(value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalid('text');
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid('list');
}

function record(value: unknown): Facts {
  if (isObject(value)) return value;
  throw invalid('object');
}

function invalid(what: string): ConversionError {
  return new ConversionError(`its converter gave an invalid ${what}`);
}
