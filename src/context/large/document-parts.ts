/**
 * Parts of one document that are read by number: characters and lines of its text, rows of its tables.
 *
 * @module
 */
import type { ConvertedFile } from '../../convert/convert-file.ts';
import type { FileValue, JsonValue } from '../../repl/port.ts';
import { textValue } from '../converted-files.ts';
import { shownName } from '../file-words.ts';
import { textKind } from '../text-kinds.ts';
import { LAZY_TABLE_BYTES } from './limits.ts';
import { PartRows } from './part-rows.ts';
import { madeFile, RecordFile, type Records } from './record-file.ts';
import { readText } from './text-reader.ts';
import { type Search, type SearchResult, searchText } from './text-search.ts';

/** How the rows of a table are written: a JSON array of cells to a line, JSON Lines, or CSV. */
export type TableForm = 'cells' | 'jsonl' | 'csv';

/** The table that a text is by its name; undefined for other texts, and for encodings that do not contain ASCII. */
export function textTable(name: string, { encoding }: FileValue): TableForm | undefined {
  if (encoding.startsWith('utf-16') || encoding === 'iso-2022-jp') return undefined;
  const kind = textKind(name);
  if (kind === 'CSV' || kind === 'TSV') return 'csv';
  return kind === 'JSON Lines' ? 'jsonl' : undefined;
}

/** Facts of the table of a text, whose columns and rows the guest finds. */
export function textTableFacts(name: string, file: FileValue): readonly JsonValue[] {
  const form = textTable(name, file);
  return form === undefined ? [] : [{ name: lastPart(name), columns: null, rows: null, form, lazy: true }];
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Facts of the tables of a conversion. */
export function convertedTableFacts({ conversion, bytes }: ConvertedFile): readonly JsonValue[] {
  return conversion.tables.map(({ name, columns, rows, file }) => ({
    ...{ name, columns, rows, form: 'cells' },
    lazy: file === undefined || bytes(file) > LAZY_TABLE_BYTES,
  }));
}

/** The parts of a document that are read by number. */
export class DocumentParts {
  readonly #path: string;
  readonly #file: FileValue;
  readonly #converted: ConvertedFile | undefined;
  readonly #tables = new Map<string, RecordFile | PartRows>();

  constructor(path: string, file: FileValue, converted: ConvertedFile | undefined) {
    [this.#path, this.#file, this.#converted] = [path, file, converted];
  }

  /** The file of the text. */
  get text(): FileValue | undefined {
    return this.#converted === undefined ? this.#file : textValue(this.#converted, shownName(this.#path));
  }

  /** Characters and lines of a text of more bytes; null for one that is read whole. */
  async large(wholeTextBytes: number): Promise<JsonValue> {
    const { text } = this;
    if (text === undefined || text.as === 'bytes' || text.bytes <= wholeTextBytes) return null;
    const { index } = await readText(text);
    return { characters: index.length, lines: index.lines };
  }

  async slice(start: number, stop: number): Promise<string> {
    const { text } = this;
    return text === undefined ? '' : await (await readText(text)).slice(start, stop);
  }

  async lines(start: number, stop: number): Promise<readonly string[]> {
    const { text } = this;
    return text === undefined ? [] : await (await readText(text)).lines(start, stop);
  }

  /** Occurrences of a literal; null for a text that has to be decoded for that. */
  async search(search: Search): Promise<SearchResult | null> {
    const { text } = this;
    if (text === undefined) return null;
    const { index } = await readText(text);
    return index.utf8 ? await searchText(text, index, search) : null;
  }

  /** Rows of a table as they are written; of CSV the first one has the names of the columns. `delimiter`: its code. */
  async records(
    table: number,
    range: { readonly start: number; readonly stop: number; readonly delimiter?: number },
  ): Promise<Records> {
    const { start, stop, delimiter } = range;
    const key = `${table} ${delimiter ?? ''}`;
    const file = this.#tables.get(key) ?? this.#open(table, delimiter);
    this.#tables.set(key, file);
    return await file.read(start, stop);
  }

  #open(table: number, delimiter: number | undefined): RecordFile | PartRows {
    if (this.#converted === undefined) {
      const csv = delimiter !== undefined;
      return new RecordFile(
        this.#file,
        csv ? { kind: 'csv', delimiter: String.fromCharCode(delimiter) } : { kind: 'lines' },
      );
    }
    const { conversion } = this.#converted;
    const { file = 0, parts } = conversion.tables[table] ?? {};
    if (parts !== undefined) return new PartRows(this.#file, conversion.kind, parts);
    return new RecordFile(madeFile(this.#converted, file), { kind: 'lines' });
  }
}
