/** Kinds of files as contexts: what the model sees, and what a cell finds. `docs/contexts.md` has the table. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromFile, fromFiles } from '../../src/index.ts';
import type { ScriptedRequest } from '../../src/test.ts';
import { play } from '../engine/harness.ts';
import { makeDocx, makePdf, makePptx, makeWorkbook } from './made-files.ts';

let folder = '';
const cache = process.env.FATHOM_CACHE_DIR;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-kinds-'));
  process.env.FATHOM_CACHE_DIR = join(folder, 'cache');
});
afterAll(() => {
  if (cache === undefined) delete process.env.FATHOM_CACHE_DIR;
  else process.env.FATHOM_CACHE_DIR = cache;
  rmSync(folder, { recursive: true, force: true });
});

interface Kind {
  readonly name: string;
  readonly make: () => Buffer | string | Promise<Buffer>;
  /** Parts of the first message. */
  readonly shown: readonly string[];
  /** Python expressions over `context`, and their values. */
  readonly values: Readonly<Record<string, unknown>>;
}

const KINDS: readonly Kind[] = [
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
];

/** The values of expressions over a context, by a run whose cells print them. */
async function look(context: ReturnType<typeof fromFile>, expressions: readonly string[]) {
  let message = '';
  const code = `import json\nFINAL(json.dumps([${expressions.join(',\n')}]))`;
  const root = ({ prompt, callIndex }: ScriptedRequest): string => {
    if (callIndex > 0) throw new Error(prompt);
    message = prompt;
    return `\`\`\`repl\n${code}\n\`\`\``;
  };
  const { result } = await play({ context, root });
  return { values: JSON.parse(result.text) as readonly unknown[], message };
}

describe.each(KINDS)('$name', ({ name, make, shown, values }) => {
  test('alone it is its text with attributes', async () => {
    const path = join(folder, name);
    writeFileSync(path, await make());
    const seen = await look(fromFile(path), Object.keys(values));
    expect(seen.values).toEqual(Object.values(values));
    for (const part of shown) expect(seen.message).toContain(part);
  });

  test('beside others it is a document with the same attributes, converted when it is used', async () => {
    const other = join(folder, 'other.txt');
    writeFileSync(other, 'other');
    writeFileSync(join(folder, name), await make());
    const expressions = Object.keys(values).filter((one) => !/isinstance|open\(/.test(one));
    const inList = expressions.map((one) => one.replaceAll('context', `context["${name}"]`));
    const seen = await look(fromFiles([name, 'other.txt'], { cwd: folder }), [...inList, 'context["other.txt"].text']);
    expect(seen.values).toEqual([...expressions.map((one) => values[one]), 'other']);
    expect(seen.message).toContain('converted when a cell uses them: ');
  });
});
