import { Parser } from 'htmlparser2';
import { columnNames } from './columns.ts';

/** A page as text. */
export interface HtmlText {
  readonly title: string;
  readonly text: string;
  readonly links: readonly (readonly [text: string, url: string])[];
  readonly tables: readonly { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }[];
}

/** Elements whose content is not shown. */
const HIDDEN: ReadonlySet<string> = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'svg',
  'head',
  'iframe',
  'object',
]);
/** Elements that begin and end a line. */
const BLOCKS: ReadonlySet<string> = new Set(
  'address article aside blockquote dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody thead tfoot tr ul caption'.split(
    ' ',
  ),
);
const MOST_DEPTH = 2_000;

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

interface OpenTable {
  rows: string[][];
  row: string[] | undefined;
  cellStart: number | undefined;
}

class HtmlReader {
  #text = '';
  #title = '';
  #hidden = 0;
  #depth = 0;
  #inTitle = false;
  #preformatted = 0;
  #link: { readonly url: string; readonly start: number } | undefined;
  readonly #links: [string, string][] = [];
  readonly #open: OpenTable[] = [];
  readonly #tables: string[][][] = [];

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth += 1;
    if (name === 'title') this.#inTitle = true;
    if (HIDDEN.has(name)) this.#hidden += 1;
    if (this.#hidden > 0 || this.#depth > MOST_DEPTH) return;
    if (BLOCKS.has(name)) this.#line();
    const heading = /^h([1-6])$/.exec(name)?.[1];
    if (heading !== undefined) this.#text += `${'#'.repeat(Number(heading))} `;
    if (name === 'li') this.#text += '- ';
    if (name === 'br') this.#text += '\n';
    if (name === 'pre') this.#preformatted += 1;
    if (name === 'a' && attributes.href !== undefined) this.#link = { url: attributes.href, start: this.#text.length };
    if (name === 'img' && (attributes.alt ?? '') !== '') this.#text += `[image: ${attributes.alt}]`;
    this.#openTable(name);
  }

  text(text: string): void {
    if (this.#inTitle) this.#title += text;
    if (this.#hidden > 0) return;
    if (this.#preformatted > 0) {
      this.#text += text;
      return;
    }
    const words = text.replaceAll(/[\s\u00a0]+/g, ' ');
    this.#text += /(^|\s)$/.test(this.#text) ? words.trimStart() : words;
  }

  close(name: string): void {
    this.#depth -= 1;
    if (name === 'title') this.#inTitle = false;
    if (HIDDEN.has(name)) {
      this.#hidden = Math.max(0, this.#hidden - 1);
      return;
    }
    if (this.#hidden > 0) return;
    if (name === 'pre') this.#preformatted = Math.max(0, this.#preformatted - 1);
    if (name === 'a') this.#closeLink();
    this.#closeTable(name);
    if (BLOCKS.has(name)) this.#line();
  }

  result(): HtmlText {
    const tables = this.#tables.flatMap(([head = [], ...rows]) => {
      const width = Math.max(head.length, ...rows.map((row) => row.length));
      // Tables of one row or column are used for the layout of a page.
      return rows.length === 0 || width < 2
        ? []
        : [{ columns: columnNames(Array.from({ length: width }, (_, at) => head[at] ?? '')), rows }];
    });
    const text = this.#text
      .replaceAll(/[ \t]+\n/g, '\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim();
    return { title: this.#title.trim().replaceAll(/\s+/g, ' '), text, links: this.#links, tables };
  }

  #line(): void {
    if (this.#text !== '' && !this.#text.endsWith('\n')) this.#text = `${this.#text.replace(/ +$/, '')}\n`;
  }

  #closeLink(): void {
    if (this.#link === undefined) return;
    const { url, start } = this.#link;
    this.#link = undefined;
    const text = this.#text.slice(start).trim();
    if (url.startsWith('#') || /^javascript:/i.test(url.trim())) return;
    this.#links.push([text, url]);
    if (text !== url) this.#text += ` (${url})`;
  }

  #openTable(name: string): void {
    const table = this.#open.at(-1);
    if (name === 'table') this.#open.push({ rows: [], row: undefined, cellStart: undefined });
    else if (name === 'tr' && table !== undefined) table.row = [];
    else if ((name === 'td' || name === 'th') && table?.row !== undefined) {
      if (table.row.length > 0) this.#text = `${this.#text.trimEnd()}\t`;
      table.cellStart = this.#text.length;
    }
  }

  #closeTable(name: string): void {
    const table = this.#open.at(-1);
    if (table === undefined) return;
    if ((name === 'td' || name === 'th') && table.cellStart !== undefined) {
      const cell = this.#text.slice(table.cellStart).trim().replaceAll(/\s+/g, ' ');
      table.row?.push(cell);
      // Within a row of the text a cell is one line.
      this.#text = this.#text.slice(0, table.cellStart) + cell;
      table.cellStart = undefined;
    } else if (name === 'tr' && table.row !== undefined) {
      if (table.row.length > 0) table.rows.push(table.row);
      table.row = undefined;
    } else if (name === 'table') {
      this.#open.pop();
      this.#tables.push(table.rows);
    }
  }
}
