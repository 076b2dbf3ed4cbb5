import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';
import { type Input, Refusal } from './input.ts';
import type { Output } from './output.ts';

interface TextItem {
  readonly str: string;
  readonly hasEOL: boolean;
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
}

type Document = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Document['getPage']>>;

/** Pages that are named in a note. */
const NAMED = 20;

/** The text of a PDF page by page, separated by form feeds as in `pdftotext`. */
export async function convertPdf(input: Input, output: Output): Promise<void> {
  const document = await open(new Uint8Array(input.whole()));
  await properties(document, output);
  const scanned: number[] = [];
  const broken: number[] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    if (number > 1) output.text('\f');
    output.page();
    try {
      const page = await document.getPage(number);
      const text = await pageText(page);
      output.text(text);
      if (text === '' && (await showsImage(page))) scanned.push(number);
      page.cleanup();
    } catch (error) {
      if (number === 1 && document.numPages === 1) throw error;
      broken.push(number);
    }
  }
  output.meta.pages = document.numPages;
  if (scanned.length > 0) {
    output.meta.scannedPages = scanned;
    output.note(
      `${pages(scanned)} an image without text, as of a scan: OCR is needed to read ${scanned.length === 1 ? 'it' : 'them'}`,
    );
  }
  if (broken.length > 0) output.note(`${pages(broken)} damaged and has no text here`);
}

function pages(numbers: readonly number[]): string {
  const shown = numbers.slice(0, NAMED).join(', ');
  if (numbers.length === 1) return `page ${shown} is`;
  return `pages ${shown}${numbers.length > NAMED ? ` and ${numbers.length - NAMED} more` : ''} are each`;
}

async function open(data: Uint8Array): Promise<Document> {
  try {
    return await getDocumentProxy(data, { useSystemFonts: false, disableFontFace: true, verbosity: 0 });
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException')
      throw new Refusal('it is encrypted: save it without a password first');
    throw error;
  }
}

async function properties(document: Document, output: Output): Promise<void> {
  const { info } = await document.getMetadata().catch(() => ({ info: {} }));
  const facts = info as Readonly<Record<string, unknown>>;
  if (typeof facts.Title === 'string') output.title = facts.Title;
  output.facts({
    author: facts.Author,
    subject: facts.Subject,
    keywords: facts.Keywords,
    created: isoDate(facts.CreationDate),
  });
}

async function pageText(page: Page): Promise<string> {
  const { items } = await page.getTextContent();
  let text = '';
  let last: TextItem | undefined;
  for (const item of items as readonly (TextItem | object)[]) {
    if (!('str' in item)) continue;
    text += separator(last, item) + (isColumnGap(item) ? '\t' : item.str);
    if (item.hasEOL) text += '\n';
    if (item.str !== '' || item.hasEOL) last = item;
  }
  return text
    .replaceAll('\f', ' ')
    .replace(/[ \t]+$/gm, '')
    .trim();
}

/** A line break where the next item is on another line, a tab where it is far to the right: columns of tables are. */
function separator(last: TextItem | undefined, item: TextItem): string {
  if (last === undefined || last.hasEOL || item.str === '') return '';
  const [, , , , x = 0, y = 0] = item.transform;
  const [, , , , lastX = 0, lastY = 0] = last.transform;
  const height = Math.max(1, last.height, item.height);
  if (Math.abs(y - lastY) > height * 0.6) return '\n';
  const gap = x - (lastX + last.width);
  if (gap > height * 2) return '\t';
  return '';
}

/** Blanks between columns come as one wide item. */
function isColumnGap({ str, width, height }: TextItem): boolean {
  return str === ' ' && width > 2 * Math.max(height, 8);
}

/** A PDF date such as `D:20261129114454+01'00'` in ISO 8601; other values as they are. */
function isoDate(value: unknown): unknown {
  const parts = typeof value === 'string' ? /^D:(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?/.exec(value) : null;
  if (parts === null) return value;
  const [, year, month, day, hour, minute = '00', second = '00'] = parts;
  return `${year}-${month}-${day}${hour === undefined ? '' : `T${hour}:${minute}:${second}`}`;
}

/** Only pages without text are looked at. */
async function showsImage(page: Page): Promise<boolean> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray } = await page.getOperatorList();
  const images: readonly number[] = [OPS.paintImageXObject, OPS.paintInlineImageXObject, OPS.paintImageMaskXObject];
  return fnArray.some((operation) => images.includes(operation));
}
