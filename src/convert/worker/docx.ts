import { columnNames, filledRow } from './columns.ts';
import { type Input, Refusal } from './input.ts';
import { readProperties, relationships } from './office.ts';
import type { Output } from './output.ts';
import { attribute, readXml, type XmlVisitor } from './xml.ts';
import { openZip, type Zip } from './zip.ts';

const DOCUMENT = 'word/document.xml';
/** Parts beside the text, in the order in which they follow it. */
const NOTES: readonly (readonly [part: string, title: string])[] = [
  ['word/footnotes.xml', 'Footnotes'],
  ['word/endnotes.xml', 'Endnotes'],
  ['word/comments.xml', 'Comments'],
];

/** Paragraphs as lines, headings with `#`, lists with `-`, tables as rows of tabs and as tables. */
export async function convertDocx(input: Input, output: Output): Promise<void> {
  const zip = await openZip(input);
  if (!zip.has(DOCUMENT)) throw new Refusal(`it has no ${DOCUMENT}`);
  await readProperties(zip, 'docProps/core.xml', output);
  const links = await relationships(zip, DOCUMENT);
  await readXml(zip.pieces(DOCUMENT), new WordReader(output, links, await headings(zip)));
  for (const [part, title] of NOTES) {
    if (!zip.has(part)) continue;
    const notes = new WordReader(output, links, new Map(), `\n${title}\n`);
    await readXml(zip.pieces(part), notes);
  }
}

/** Levels of headings by the id of their style: ids are words of the language in which the document was written. */
async function headings(zip: Zip): Promise<ReadonlyMap<string, number>> {
  const levels = new Map<string, number>();
  let style = '';
  await readXml(zip.pieces('word/styles.xml'), {
    open(name, attributes) {
      if (name === 'style') style = attribute(attributes, 'styleId') ?? '';
      const value = attribute(attributes, 'val') ?? '';
      const level =
        name === 'name'
          ? /^heading ([1-9])$/i.exec(value)?.[1]
          : name === 'outlineLvl'
            ? `${Number(value) + 1}`
            : undefined;
      if (level !== undefined && !levels.has(style) && Number(level) < 10) levels.set(style, Number(level));
      if (name === 'name' && /^title$/i.test(value)) levels.set(style, 1);
    },
  });
  return levels;
}

/** Rows of a table that is open; tables within its cells are part of the cells' text. */
interface OpenTable {
  readonly rows: string[][];
  row: string[];
  cell: string;
}

class WordReader implements XmlVisitor {
  readonly #output: Output;
  readonly #links: ReadonlyMap<string, string>;
  readonly #headings: ReadonlyMap<string, number>;
  #before: string;
  #paragraph = '';
  #prefix = '';
  #inText = false;
  #link: string | undefined;
  readonly #tables: OpenTable[] = [];

  constructor(output: Output, links: ReadonlyMap<string, string>, headings: ReadonlyMap<string, number>, before = '') {
    this.#output = output;
    this.#links = links;
    this.#headings = headings;
    this.#before = before;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    switch (name) {
      case 't':
      case 'delText':
        this.#inText = name === 't';
        break;
      case 'tab':
        if (this.#paragraph !== '') this.#paragraph += '\t';
        break;
      case 'br':
      case 'cr':
        this.#paragraph += '\n';
        break;
      case 'pStyle':
        this.#prefix = '#'.repeat(this.#headings.get(attribute(attributes, 'val') ?? '') ?? 0);
        break;
      case 'numPr':
        if (this.#prefix === '') this.#prefix = '-';
        break;
      case 'hyperlink':
        this.#link = this.#links.get(attribute(attributes, 'id') ?? '');
        break;
      case 'footnoteReference':
      case 'endnoteReference':
        this.#paragraph += `[${attribute(attributes, 'id') ?? ''}]`;
        break;
      case 'tbl':
        this.#tables.push({ rows: [], row: [], cell: '' });
        break;
    }
  }

  text(text: string): void {
    if (this.#inText) this.#paragraph += text;
  }

  close(name: string): void {
    const table = this.#tables.at(-1);
    switch (name) {
      case 't':
        this.#inText = false;
        break;
      case 'p':
        this.#endParagraph(table);
        break;
      case 'hyperlink':
        if (this.#link !== undefined) this.#paragraph += ` (${this.#link})`;
        this.#link = undefined;
        break;
      case 'tc':
        table?.row.push(table.cell.trim());
        if (table !== undefined) table.cell = '';
        break;
      case 'tr':
        table?.rows.push(table.row);
        if (table !== undefined) table.row = [];
        break;
      case 'tbl':
        this.#endTable();
        break;
    }
  }

  #endParagraph(table: OpenTable | undefined): void {
    const text = this.#prefix === '' || this.#paragraph === '' ? this.#paragraph : `${this.#prefix} ${this.#paragraph}`;
    this.#paragraph = '';
    this.#prefix = '';
    if (table !== undefined) table.cell += `${text}\n`;
    else this.#line(text);
  }

  #endTable(): void {
    const table = this.#tables.pop();
    const outer = this.#tables.at(-1);
    const lines = table?.rows.map((row) => row.map((cell) => cell.replaceAll(/\s+/g, ' ')).join('\t')) ?? [];
    if (outer !== undefined) {
      outer.cell += lines.join('\n');
      return;
    }
    for (const line of lines) this.#line(line);
    const [head = [], ...rows] = table?.rows ?? [];
    const width = Math.max(head.length, ...rows.map((row) => row.length));
    const columns = columnNames(Array.from({ length: width }, (_, at) => head[at] ?? ''));
    const written = this.#output.table(`table ${this.#output.tableCount + 1}`, columns);
    for (const row of rows) written.row(filledRow(row, width));
    written.end();
  }

  #line(text: string): void {
    if (this.#before !== '' && text.trim() !== '') {
      this.#output.text(this.#before);
      this.#before = '';
    }
    if (this.#before === '') this.#output.text(`${text}\n`);
  }
}
