import { Parser } from 'htmlparser2';
import { columnNames } from './columns.ts';

/** A page as text. */
export interface HtmlText {
  readonly title: string;
  readonly text: string;
  readonly links: readonly (readonly [text: string, url: string])[];
  readonly tables: readonly { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }[];
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));
/** Elements whose content is not shown. */
const HIDDEN = words('script style template noscript svg head title iframe object');
/** Elements that begin and end a line. */
const BLOCKS = words(
  'address article aside blockquote dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody thead tfoot tr ul caption',
);

/** The readable text of HTML: scripts and styles are left out and never run, links have their target in brackets. */
export function htmlText(html: string): HtmlText {
  const reader = new HtmlReader();
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reader.open(name, attributes),
      ontext: (text) => reader.text(text),
      onclosetag: (name) => reader.close(name),
    },
    { decodeEntities: true },
  );
  parser.end(html);
  return reader.result();
}

/** A position in the text: a finished line and a character in the one behind it. */
interface Position {
  readonly line: number;
  readonly at: number;
}

/** Lines of text. Only the last one changes, so that a long page is read in linear time. */
class Lines {
  readonly #done: string[] = [];
  #last = '';

  get here(): Position {
    return { line: this.#done.length, at: this.#last.length };
  }

  add(text: string): void {
    this.#last += text;
  }

  /** Blanks at the beginning of a line, and behind others, are one. */
  addWords(text: string): void {
    const one = text.replaceAll(/[\s\u00a0]+/g, ' ');
    this.#last += this.#last === '' || this.#last.endsWith(' ') || this.#last.endsWith('\t') ? one.trimStart() : one;
  }

  addLines(text: string): void {
    const [first = '', ...rest] = text.split('\n');
    this.#last += first;
    for (const line of rest) {
      this.end();
      this.#last = line;
    }
  }

  /** Ends the line, an empty one too. */
  end(): void {
    this.#done.push(this.#last.trimEnd());
    this.#last = '';
  }

  endIfBegun(): void {
    if (this.#last.trim() !== '') this.end();
    else this.#last = '';
  }

  /** The text from a position on, which may have been put into one line since. */
  since({ line, at }: Position): string {
    if (line > this.#done.length) return '';
    return [...this.#done.slice(line), this.#last].join('\n').slice(at);
  }

  /** Puts a text on one line, in the place of all from there on. */
  replaceSince({ line, at }: Position, text: string): void {
    if (line < this.#done.length) {
      this.#last = this.#done[line] ?? '';
      this.#done.length = line;
    }
    this.#last = this.#last.slice(0, at) + text;
  }

  trimLast(): void {
    this.#last = this.#last.trimEnd();
  }

  all(): string {
    return [...this.#done, this.#last]
      .join('\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim();
  }
}

interface OpenTable {
  readonly rows: string[][];
  row: string[] | undefined;
  cell: Position | undefined;
}

class HtmlReader {
  readonly #lines = new Lines();
  #title = '';
  #hidden = 0;
  #inTitle = false;
  #preformatted = 0;
  #link: { readonly url: string; readonly from: Position } | undefined;
  readonly #links: [string, string][] = [];
  readonly #open: OpenTable[] = [];
  readonly #tables: string[][][] = [];

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'title') this.#inTitle = true;
    if (HIDDEN.has(name)) this.#hidden += 1;
    if (this.#hidden > 0) return;
    if (BLOCKS.has(name)) this.#lines.endIfBegun();
    const heading = /^h([1-6])$/.exec(name)?.[1];
    if (heading !== undefined) this.#lines.add(`${'#'.repeat(Number(heading))} `);
    if (name === 'li') this.#lines.add('- ');
    if (name === 'br') this.#lines.end();
    if (name === 'pre') this.#preformatted += 1;
    if (name === 'a' && attributes.href !== undefined) this.#link = { url: attributes.href, from: this.#lines.here };
    if (name === 'img' && (attributes.alt ?? '') !== '') this.#lines.addWords(`[image: ${attributes.alt}]`);
    this.#openTable(name);
  }

  text(text: string): void {
    if (this.#inTitle) this.#title += text;
    if (this.#hidden > 0) return;
    if (this.#preformatted > 0) this.#lines.addLines(text);
    else this.#lines.addWords(text);
  }

  close(name: string): void {
    if (name === 'title') this.#inTitle = false;
    if (HIDDEN.has(name)) {
      this.#hidden = Math.max(0, this.#hidden - 1);
      return;
    }
    if (this.#hidden > 0) return;
    if (name === 'pre') this.#preformatted = Math.max(0, this.#preformatted - 1);
    if (name === 'a') this.#closeLink();
    this.#closeTable(name);
    if (BLOCKS.has(name)) this.#lines.endIfBegun();
  }

  result(): HtmlText {
    const tables = this.#tables.flatMap(([head = [], ...rows]) => {
      const width = Math.max(head.length, ...rows.map((row) => row.length));
      // Tables of one row or column are used for the layout of a page.
      if (rows.length === 0 || width < 2) return [];
      return [{ columns: columnNames(Array.from({ length: width }, (_, at) => head[at] ?? '')), rows }];
    });
    const title = this.#title.trim().replaceAll(/\s+/g, ' ');
    return { title, text: this.#lines.all(), links: this.#links, tables };
  }

  #closeLink(): void {
    if (this.#link === undefined) return;
    const { url, from } = this.#link;
    this.#link = undefined;
    const text = this.#lines.since(from).trim();
    if (url.startsWith('#') || /^javascript:/i.test(url.trim())) return;
    this.#links.push([text, url]);
    if (text !== url) this.#lines.add(` (${url})`);
  }

  #openTable(name: string): void {
    const table = this.#open.at(-1);
    if (name === 'table') this.#open.push({ rows: [], row: undefined, cell: undefined });
    else if (name === 'tr' && table !== undefined) table.row = [];
    else if ((name === 'td' || name === 'th') && table?.row !== undefined) {
      this.#lines.trimLast();
      if (table.row.length > 0) this.#lines.add('\t');
      table.cell = this.#lines.here;
    }
  }

  #closeTable(name: string): void {
    const table = this.#open.at(-1);
    if (table === undefined) return;
    if ((name === 'td' || name === 'th') && table.cell !== undefined) {
      // Within a row of the text a cell is one line.
      const cell = this.#lines.since(table.cell).trim().replaceAll(/\s+/g, ' ');
      this.#lines.replaceSince(table.cell, cell);
      table.row?.push(cell);
      table.cell = undefined;
    } else if (name === 'tr' && table.row !== undefined) {
      if (table.row.length > 0) table.rows.push(table.row);
      table.row = undefined;
    } else if (name === 'table') {
      this.#open.pop();
      this.#tables.push(table.rows);
    }
  }
}
