/** Files of every kind, each made by its own tool or a public package. */
import {
  Document,
  ExternalHyperlink,
  FootnoteReferenceRun,
  HeadingLevel,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
} from 'docx';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import PptxGenJS from 'pptxgenjs';
import { utils, write } from 'xlsx';

/** A PDF of some pages, each a list of lines. A page `null` holds an image and no text, as a scan does. */
export async function makePdf(pages: readonly (readonly string[] | null)[], title = 'A contract'): Promise<Buffer> {
  const pdf = await PDFDocument.create();
  pdf.setTitle(title);
  pdf.setAuthor('Ann Author');
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const image = pages.includes(null) ? await pdf.embedPng(PNG) : undefined;
  for (const lines of pages) {
    const page = pdf.addPage([595, 842]);
    if (lines === null && image !== undefined) page.drawImage(image, { x: 0, y: 0, width: 595, height: 842 });
    for (const [at, line] of (lines ?? []).entries()) page.drawText(line, { x: 50, y: 790 - at * 16, size: 11, font });
  }
  return Buffer.from(await pdf.save());
}

/** One grey pixel. */
export const PNG: Buffer = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);

const cell = (text: string): TableCell => new TableCell({ children: [new Paragraph(text)] });

/** A Word document: a heading, a link, a list, a table, a footnote. */
export async function makeDocx(): Promise<Buffer> {
  const row = (...texts: readonly string[]): TableRow => new TableRow({ children: texts.map(cell) });
  const file = new Document({
    title: 'The offer',
    creator: 'Bob',
    footnotes: { 1: { children: [new Paragraph('Without tax.')] } },
    sections: [
      {
        children: [
          new Paragraph({ text: 'Prices', heading: HeadingLevel.HEADING_2 }),
          new Paragraph({ children: [new TextRun('All in euro'), new FootnoteReferenceRun(1), new TextRun('.')] }),
          new Paragraph({
            children: [new ExternalHyperlink({ link: 'https://example.org/terms', children: [new TextRun('Terms')] })],
          }),
          new Paragraph({ text: 'Delivery by lorry', bullet: { level: 0 } }),
          new Table({ rows: [row('Item', 'Price'), row('Bolt', '12'), row('Nut', '3')] }),
        ],
      },
    ],
  });
  return await Packer.toBuffer(file);
}

/** Two slides: text with notes, and a table. */
export async function makePptx(): Promise<Buffer> {
  // The package's declaration has its class below `default`, where Node finds the class itself.
  const Presentation = PptxGenJS as unknown as typeof PptxGenJS.default;
  const deck = new Presentation();
  deck.title = 'Quarter';
  const first = deck.addSlide();
  first.addText('Revenue grew by 7 %', { x: 1, y: 1, w: 6, h: 1 });
  first.addNotes('Mention the new office.');
  const second = deck.addSlide();
  second.addTable(
    [
      [{ text: 'City' }, { text: 'Sales' }],
      [{ text: 'Kyiv' }, { text: '44' }],
    ],
    { x: 1, y: 1, w: 6 },
  );
  return (await deck.write({ outputType: 'nodebuffer' })) as Buffer;
}

/** Two sheets: typed columns, and a table below a title. */
export function makeWorkbook(bookType: 'xlsx' | 'ods' | 'xls'): Buffer {
  const book = utils.book_new();
  const fees = [
    ['Name', 'Fee', 'Paid', 'When'],
    ['Ann', 12.5, true, new Date(Date.UTC(2026, 0, 31))],
    ['Bob', 7, false, new Date(Date.UTC(2026, 1, 1, 12, 30))],
  ];
  utils.book_append_sheet(book, utils.aoa_to_sheet(fees, { cellDates: true, UTC: true } as object), 'Fees');
  utils.book_append_sheet(book, utils.aoa_to_sheet([['Report of 2026'], [], ['key', 'value'], ['x', 1]]), 'Report');
  return write(book, { type: 'buffer', bookType }) as Buffer;
}
