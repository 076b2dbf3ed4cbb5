import type { JsonValue } from '../../repl/port.ts';
import { type Input, Refusal } from './input.ts';
import { readProperties, relationships } from './office.ts';
import type { Output } from './output.ts';
import { SheetOutput } from './sheet.ts';
import { attribute, readXml } from './xml.ts';
import { openZip, type Zip } from './zip.ts';

const WORKBOOK = 'xl/workbook.xml';

/** Each sheet as a table, and as lines of tabs in the text. Formulas have the value that was saved with them. */
export async function convertXlsx(input: Input, output: Output): Promise<void> {
  const zip = await openZip(input);
  if (!zip.has(WORKBOOK)) throw new Refusal(`it has no ${WORKBOOK}`);
  await readProperties(zip, 'docProps/core.xml', output);
  const { sheets, from1904 } = await readWorkbook(zip);
  const texts = await sharedStrings(zip);
  const dates = await dateStyles(zip);
  for (const { name, part, hidden } of sheets) {
    if (!zip.has(part)) continue;
    const sheet = new SheetOutput(name, output);
    await readSheet(zip, part, { texts, dates, from1904, sheet });
    sheet.end();
    if (hidden) output.note(`the sheet ${name} is hidden in Excel`);
  }
}

interface Workbook {
  readonly sheets: readonly { readonly name: string; readonly part: string; readonly hidden: boolean }[];
  readonly from1904: boolean;
}

async function readWorkbook(zip: Zip): Promise<Workbook> {
  const targets = await relationships(zip, WORKBOOK);
  const sheets: { name: string; part: string; hidden: boolean }[] = [];
  let from1904 = false;
  await readXml(zip.pieces(WORKBOOK), {
    open(tag, attributes) {
      if (tag === 'workbookPr') from1904 = /^(1|true)$/.test(attribute(attributes, 'date1904') ?? '');
      if (tag !== 'sheet') return;
      const part = targets.get(attributes['r:id'] ?? attribute(attributes, 'id') ?? '');
      const hidden = (attribute(attributes, 'state') ?? 'visible') !== 'visible';
      if (part !== undefined) sheets.push({ name: attribute(attributes, 'name') ?? part, part, hidden });
    },
  });
  return { sheets, from1904 };
}

async function sharedStrings(zip: Zip): Promise<readonly string[]> {
  const texts: string[] = [];
  let text = '';
  let inText = false;
  let phonetic = false;
  await readXml(zip.pieces('xl/sharedStrings.xml'), {
    open(tag) {
      if (tag === 'si') text = '';
      if (tag === 't') inText = true;
      if (tag === 'rPh') phonetic = true;
    },
    text(piece) {
      if (inText && !phonetic) text += piece;
    },
    close(tag) {
      if (tag === 't') inText = false;
      if (tag === 'rPh') phonetic = false;
      if (tag === 'si') texts.push(unescaped(text));
    },
  });
  return texts;
}

/** Excel writes characters that XML has not as `_x000D_`. */
function unescaped(text: string): string {
  return text.includes('_x')
    ? text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

/** Built-in number formats of dates and times (ECMA-376, 18.8.30). */
const DATE_FORMATS: ReadonlySet<number> = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57]);

/** Whether cells of a style hold dates, by the number of the style. */
async function dateStyles(zip: Zip): Promise<readonly boolean[]> {
  const custom = new Set<number>();
  const styles: boolean[] = [];
  let inCells = false;
  await readXml(zip.pieces('xl/styles.xml'), {
    open(tag, attributes) {
      const format = Number(attribute(attributes, 'numFmtId'));
      if (tag === 'numFmt' && isDateFormat(attribute(attributes, 'formatCode') ?? '')) custom.add(format);
      if (tag === 'cellXfs') inCells = true;
      if (tag === 'xf' && inCells) styles.push(DATE_FORMATS.has(format) || custom.has(format));
    },
    close(tag) {
      if (tag === 'cellXfs') inCells = false;
    },
  });
  return styles;
}

/** A format with letters of dates outside of quotes, brackets and escapes. */
function isDateFormat(code: string): boolean {
  const bare = code.replaceAll(/"[^"]*"|\[(?!h+\]|m+\]|s+\])[^\]]*\]|\\.|_.|\*./gi, '');
  return /[dmyhs]/i.test(bare) && !/general/i.test(bare);
}

interface SheetRead {
  readonly texts: readonly string[];
  readonly dates: readonly boolean[];
  readonly from1904: boolean;
  readonly sheet: SheetOutput;
}

async function readSheet(zip: Zip, part: string, { texts, dates, from1904, sheet }: SheetRead): Promise<void> {
  let row: JsonValue[] = [];
  let next = 0;
  let cell = { column: 0, type: 'n', style: 0 };
  let value = '';
  let inValue = false;
  await readXml(zip.pieces(part), {
    open(tag, attributes) {
      if (tag === 'row') {
        row = [];
        next = 0;
      }
      if (tag === 'c') {
        const { r, t = 'n', s = '0' } = attributes;
        cell = { column: r === undefined ? next : columnOf(r), type: t, style: Number(s) };
        value = '';
        next = cell.column + 1;
      }
      if (tag === 'v' || tag === 't') inValue = true;
    },
    text(piece) {
      if (inValue) value += piece;
    },
    close(tag) {
      if (tag === 'v' || tag === 't') inValue = false;
      if (tag === 'c') {
        const read = cellValue(cell.type, value, { texts, date: dates[cell.style] === true, from1904 });
        if (read !== null) setCell(row, cell.column, read);
      }
      if (tag === 'row') sheet.row(row);
    },
  });
}

/** The last column of Excel is XFD. */
const MOST_COLUMNS = 16_384;

function setCell(row: JsonValue[], column: number, value: JsonValue): void {
  if (column >= MOST_COLUMNS) throw new Refusal(`it has a cell in column ${column + 1}, and Excel has ${MOST_COLUMNS}`);
  while (row.length < column) row.push(null);
  row[column] = value;
}

/** `B7` is 1. */
function columnOf(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{1,4}/.exec(reference)?.[0] ?? '') column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

function cellValue(
  type: string,
  value: string,
  { texts, date, from1904 }: { readonly texts: readonly string[]; readonly date: boolean; readonly from1904: boolean },
): JsonValue {
  if (value === '') return null;
  if (type === 's') return texts[Number(value)] ?? null;
  if (type === 'b') return value === '1';
  if (type === 'n') {
    const number = Number(value);
    if (!Number.isFinite(number)) return value;
    return date ? dateOf(number, from1904) : number;
  }
  return unescaped(value);
}

const DAY_MS = 86_400_000;

/** A date as ISO 8601: the day alone where it has no time, the time alone where it has no day. */
export function dateOf(serial: number, from1904: boolean): string {
  // Excel counts a 29 February 1900 that never was.
  const days = from1904 ? serial + 1_462 : serial < 60 ? serial + 1 : serial;
  const date = new Date(Math.round((days - 25_569) * DAY_MS));
  if (Number.isNaN(date.getTime())) return String(serial);
  const [day = '', time = ''] = date
    .toISOString()
    .replace(/(?:\.000)?Z$/, '')
    .split('T');
  if (serial < 1 && !from1904) return time;
  return time === '00:00:00' ? day : `${day}T${time}`;
}
