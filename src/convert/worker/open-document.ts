import type { JsonValue } from '../../repl/port.ts';
import { type Input, Refusal } from './input.ts';
import { readProperties } from './office.ts';
import type { Output } from './output.ts';
import { SheetOutput } from './sheet.ts';
import { attribute, readXml, type XmlVisitor } from './xml.ts';
import { openZip } from './zip.ts';

const CONTENT = 'content.xml';

/** OpenDocument: sheets as tables; the paragraphs of a text; a page for each slide of a presentation. */
export async function convertOpenDocument(input: Input, output: Output): Promise<void> {
  const zip = await openZip(input);
  if (!zip.has(CONTENT)) throw new Refusal(`it has no ${CONTENT}`);
  if (zip.has('META-INF/manifest.xml') && (await zip.text('META-INF/manifest.xml')).includes('encryption-data'))
    throw new Refusal('it is encrypted: save it without a password first');
  await readProperties(zip, 'meta.xml', output);
  const type = await zip.text('mimetype');
  if (type.includes('spreadsheet')) output.kind = 'ods';
  else if (type.includes('presentation')) output.kind = 'odp';
  await readXml(zip.pieces(CONTENT), output.kind === 'ods' ? new SheetReader(output) : new TextReader(output));
}

/** Columns and rows that a sheet may repeat: OpenDocument writes empty rests of sheets so. */
const MOST_COLUMNS = 16_384;
const MOST_REPEATED_ROWS = 100_000;

class SheetReader implements XmlVisitor {
  readonly #output: Output;
  #sheet: SheetOutput | undefined;
  #row: JsonValue[] = [];
  #empty = 0;
  #repeatRow = 1;
  #cell: { readonly value: JsonValue | undefined; readonly repeat: number } | undefined;
  #text = '';
  #inAnnotation = false;

  constructor(output: Output) {
    this.#output = output;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    const repeated = (what: string): number => Math.max(1, Number(attribute(attributes, what)) || 1);
    if (name === 'table') this.#sheet = new SheetOutput(attribute(attributes, 'name') ?? 'sheet', this.#output);
    else if (name === 'table-row') {
      this.#row = [];
      this.#empty = 0;
      this.#repeatRow = repeated('number-rows-repeated');
    } else if (name === 'table-cell' || name === 'covered-table-cell') {
      this.#cell = { value: typedValue(attributes), repeat: repeated('number-columns-repeated') };
      this.#text = '';
    } else if (name === 'annotation') this.#inAnnotation = true;
    else if (name === 'p' && this.#text !== '') this.#text += '\n';
    else if (name === 's') this.#text += ' ';
  }

  text(piece: string): void {
    if (this.#cell !== undefined && !this.#inAnnotation) this.#text += piece;
  }

  close(name: string): void {
    if (name === 'annotation') this.#inAnnotation = false;
    else if (name === 'table-cell' || name === 'covered-table-cell') this.#endCell();
    else if (name === 'table-row') this.#endRow();
    else if (name === 'table') {
      this.#sheet?.end();
      this.#sheet = undefined;
    }
  }

  /** Empty cells count once a value follows them. */
  #endCell(): void {
    const { value, repeat } = this.#cell ?? { value: undefined, repeat: 0 };
    this.#cell = undefined;
    const read = value ?? (this.#text === '' ? null : this.#text);
    if (read === null) {
      this.#empty += repeat;
      return;
    }
    if (this.#row.length + this.#empty + repeat > MOST_COLUMNS)
      throw new Refusal(`a row of it has more than ${MOST_COLUMNS} cells`);
    for (; this.#empty > 0; this.#empty -= 1) this.#row.push(null);
    for (let at = 0; at < repeat; at += 1) this.#row.push(read);
  }

  #endRow(): void {
    if (this.#row.length === 0) return;
    if (this.#repeatRow > MOST_REPEATED_ROWS)
      throw new Refusal(`a row of it is repeated ${this.#repeatRow} times, which looks like a bomb`);
    for (let at = 0; at < this.#repeatRow; at += 1) this.#sheet?.row(this.#row);
  }
}

/** The value of a cell by its type; undefined for text, which is in its paragraphs. */
function typedValue(attributes: Readonly<Record<string, string>>): JsonValue | undefined {
  const type = attribute(attributes, 'value-type');
  const value = attribute(attributes, 'value');
  switch (type) {
    case 'float':
    case 'currency':
    case 'percentage':
      return value === undefined || !Number.isFinite(Number(value)) ? undefined : Number(value);
    case 'boolean':
      return attribute(attributes, 'boolean-value') === 'true';
    case 'date':
      return attribute(attributes, 'date-value')?.replace(/T00:00:00(?:\.0+)?Z?$/, '');
    case 'time':
      return attribute(attributes, 'time-value');
    default:
      return undefined;
  }
}

class TextReader implements XmlVisitor {
  readonly #output: Output;
  #line = '';
  #cells: string[] | undefined;
  #pages = 0;
  #hidden = 0;
  #prefix = '';

  constructor(output: Output) {
    this.#output = output;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'page') {
      if (this.#pages > 0) this.#output.text('\f');
      this.#pages += 1;
      this.#output.page();
    } else if (name === 'tracked-changes' || name === 'annotation') this.#hidden += 1;
    else if (name === 'h')
      this.#prefix = `${'#'.repeat(Math.min(6, Number(attribute(attributes, 'outline-level')) || 1))} `;
    else if (name === 'list-item') this.#prefix = '- ';
    else if (name === 'table-row') this.#cells = [];
    else if (name === 'tab') this.#line += '\t';
    else if (name === 'line-break') this.#line += '\n';
    else if (name === 's') this.#line += ' '.repeat(Math.min(1_000, Number(attribute(attributes, 'c')) || 1));
  }

  text(piece: string): void {
    if (this.#hidden === 0) this.#line += piece;
  }

  close(name: string): void {
    if (name === 'tracked-changes' || name === 'annotation') this.#hidden -= 1;
    else if (name === 'p' || name === 'h') this.#endParagraph();
    else if (name === 'table-row') {
      this.#output.text(`${(this.#cells ?? []).join('\t')}\n`);
      this.#cells = undefined;
    }
  }

  #endParagraph(): void {
    const line = this.#prefix + this.#line.trim();
    this.#line = '';
    this.#prefix = '';
    if (this.#cells !== undefined) this.#cells.push(line);
    else this.#output.text(`${line}\n`);
  }
}
