import type { JsonValue } from '../../repl/port.ts';
import { columnNames } from './columns.ts';
import type { Output, TableOutput } from './output.ts';

/** Rows that are looked at to find the one with the names of the columns. */
const HEAD_ROWS = 20;

/**
 * A sheet as a table: the first row of texts that is as wide as the sheet has its names; above it there may be titles.
 * Rows are written as they come.
 */
export class SheetOutput {
  readonly #name: string;
  readonly #output: Output;
  #waiting: JsonValue[][] | undefined = [];
  #columns: string[] = [];
  #table: TableOutput | undefined;

  constructor(name: string, output: Output) {
    this.#name = name;
    this.#output = output;
    output.text(`# ${name}\n`);
  }

  row(values: readonly JsonValue[]): void {
    this.#output.text(`${values.map(cellText).join('\t')}\n`);
    if (values.every((value) => value === null)) return;
    if (this.#waiting === undefined) this.#write(values);
    else if (this.#waiting.push([...values]) >= HEAD_ROWS) this.#begin();
  }

  end(): void {
    this.#begin();
    this.#table?.end();
    this.#output.text('\n');
  }

  #begin(): void {
    const rows = this.#waiting ?? [];
    if (this.#waiting === undefined || rows.length === 0) return;
    this.#waiting = undefined;
    const width = Math.max(...rows.map(filled));
    const head = rows.findIndex(
      (row) => filled(row) >= width && row.every((value) => value === null || typeof value === 'string'),
    );
    const names = rows[head] ?? [];
    const cells = Math.max(names.length, ...rows.map((row) => row.length));
    this.#columns = columnNames(Array.from({ length: cells }, (_, at) => cellText(names[at] ?? null)));
    this.#table = this.#output.table(this.#name, this.#columns);
    // Rows above the names are titles: they are in the text.
    for (const row of rows.slice(head + 1)) this.#write(row);
  }

  #write(values: readonly JsonValue[]): void {
    while (this.#columns.length < values.length) this.#columns.push(`column ${this.#columns.length + 1}`);
    this.#table?.row(values);
  }
}

function filled(row: readonly JsonValue[]): number {
  return row.filter((value) => value !== null).length;
}

/** A value in a line of tabs. */
export function cellText(value: JsonValue): string {
  if (value === null) return '';
  return typeof value === 'string' ? value.replaceAll(/[\t\r\n]+/g, ' ') : String(value);
}
