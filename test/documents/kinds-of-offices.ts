import type { Kind } from './kind.ts';
import { makeDocx, makePdf, makePptx, makeWorkbook } from './made-files.ts';

/** PDF and office documents. */
export const OFFICE: readonly Kind[] = [
  {
    name: 'contract.pdf',
    make: () => makePdf([['The parties agree.', 'The fee is 100 EUR.'], null, ['Signed in Graz.']]),
    shown: [
      '`context` = `context_0`: str, text of `contract.pdf` (PDF, ',
      '`.title` "A contract"',
      '`.pages` (list of 3 str)',
      'page 2 is an image without text, as of a scan: OCR is needed to read it',
      'The parties agree.',
    ],
    values: {
      'isinstance(context, str)': true,
      'str(llm_query(context)[:11])': 'THE PARTIES',
      '__import__("re").findall("[A-Z]{3}", context)': ['EUR'],
      'rlm_query is not None and context[:3] + context.upper()[3:7]': 'The PAR',
      'context.kind': 'pdf',
      'context.pages': ['The parties agree.\nThe fee is 100 EUR.', '', 'Signed in Graz.'],
      'context.text.splitlines()[1]': 'The fee is 100 EUR.',
      "context.meta['scannedPages']": [2],
      "context.meta['author']": 'Ann Author',
      'context.lines[0]': 'The parties agree.',
      'context.tables': [],
      'context.bytes[:5].decode()': '%PDF-',
      "open(__import__('glob').glob('context/**/contract.pdf', recursive=True)[0], 'rb').read(5).decode()": '%PDF-',
    },
  },
  {
    name: 'offer.docx',
    make: makeDocx,
    shown: [
      'text of `offer.docx` (Word document, ',
      '`.title` "The offer"',
      '`table 1` of 2 rows with `Item`, `Price`',
    ],
    values: {
      'context.text':
        '## Prices\nAll in euro[1].\nTerms (https://example.org/terms)\n- Delivery by lorry\nItem\tPrice\nBolt\t12\nNut\t3\n\nFootnotes\nWithout tax.\n',
      'context.rows': [
        { Item: 'Bolt', Price: '12' },
        { Item: 'Nut', Price: '3' },
      ],
      "context.meta['author']": 'Bob',
    },
  },
  {
    name: 'quarter.pptx',
    make: makePptx,
    shown: ['text of `quarter.pptx` (PowerPoint presentation, ', '`.pages` (list of 2 str)'],
    values: {
      'context.pages': ['Revenue grew by 7 %\n\nNotes: Mention the new office.\n', 'City\tSales\nKyiv\t44\n'],
      'context.title': 'Quarter',
    },
  },
  {
    name: 'fees.xlsx',
    make: () => makeWorkbook('xlsx'),
    shown: [
      'text of `fees.xlsx` (Excel workbook, ',
      '`.tables` (2, each a list of dicts, by number or name: `Fees` of 2 rows with `Name`, `Fee`, `Paid`, `When`; `Report` of 1 row with `key`, `value`)',
    ],
    values: {
      'context.tables.keys()': ['Fees', 'Report'],
      'context.rows[1]': { Name: 'Bob', Fee: 7, Paid: false, When: '2026-02-01T12:30:00' },
      "[row['When'] for row in context.rows][0]": '2026-01-31',
      "context.tables['Report']": [{ key: 'x', value: 1 }],
      "sum(row['Fee'] for row in context.rows)": 19.5,
      "'# Report\\nReport of 2026\\n' in context": true,
    },
  },
  {
    name: 'fees.ods',
    make: () => makeWorkbook('ods'),
    shown: ['text of `fees.ods` (OpenDocument spreadsheet, ', '`Fees` of 2 rows with `Name`, `Fee`, `Paid`, `When`'],
    values: {
      'context.tables.keys()': ['Fees', 'Report'],
      "[row['Name'] for row in context.rows]": ['Ann', 'Bob'],
      "context.rows[0]['Fee'], context.rows[0]['Paid']": [12.5, true],
      "context.rows[0]['When'][:10]": '2026-01-31',
    },
  },
  {
    name: 'note.odt',
    shown: ['text of `note.odt` (OpenDocument text, '],
    values: { 'context.text': '## Head\nA span\tend\n' },
  },
  {
    name: 'deck.odp',
    shown: ['text of `deck.odp` (OpenDocument presentation, ', '`.pages` (list of 2 str)'],
    values: { 'context.pages': ['One\n', 'Two\n'] },
  },
];
