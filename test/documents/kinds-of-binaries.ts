import { zstdCompressSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Kind } from './kind.ts';
import { PNG } from './made-files.ts';

/** Three columns: texts, integers of 64 bits, times. */
export function makeParquet(): Buffer {
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'city', data: ['Graz', 'Kyiv'], type: 'STRING' },
        { name: 'people', data: [300_000n, 2n ** 60n], type: 'INT64' },
        { name: 'when', data: [new Date(Date.UTC(2026, 0, 1)), new Date(Date.UTC(2026, 0, 2, 3))], type: 'TIMESTAMP' },
      ],
    }),
  );
}

/** Data, mails and books. */
export const BINARIES: readonly Kind[] = [
  {
    name: 'cities.parquet',
    make: makeParquet,
    shown: ['text of `cities.parquet` (Parquet file, ', '`rows` of 2 rows with `city`, `people`, `when`'],
    values: {
      "[row['city'] for row in context.rows]": ['Graz', 'Kyiv'],
      "context.rows[1]['people'] == 2**60": true,
      "context.rows[0]['when']": '2026-01-01',
    },
  },
  {
    name: 'shop.db',
    shown: [
      'text of `shop.db` (SQLite database, ',
      '`items` of 2 rows with `id`, `name`, `price`, `data`',
      'CREATE TABLE items',
    ],
    values: {
      'context.rows[0]': { id: 1, name: 'Bolt', price: 1.5, data: '0102' },
      "context.rows[1]['id'] == 2**60": true,
      "'CREATE VIEW cheap' in context.text": true,
    },
  },
  {
    name: 'book.epub',
    shown: ['text of `book.epub` (EPUB book, ', '`.title` "A book"', '`.pages` (list of 2 str)'],
    values: { 'context.pages': ['# One\nText of One.', '# Two\nText of Two.'], "context.meta['author']": 'Ann' },
  },
  {
    name: 'one.eml',
    shown: ['text of `one.eml` (e-mail, ', '`.title` "Grüße aus Graz"', '`.documents` (1 attached)'],
    values: {
      'context.text.split("\\n")[0]': 'From: Ann Äbel <ann@example.org>',
      "context.meta['to']": 'bob@example.org, Carl <carl@example.org>',
      "'\\n\\nThe offer is open.\\n' in context.text": true,
      'context.documents.keys()': ['fees.csv'],
      "context.documents['fees.csv'].rows[1]": { name: 'Bob', fee: 7 },
    },
  },
  {
    name: 'dot.png',
    make: () => PNG,
    shown: ['document, `dot.png` (image, '],
    values: {
      "context.meta['width'], context.meta['height'], context.meta['format']": [1, 1, 'png'],
      'context.is_text': false,
      'context.bytes[1:4].decode()': 'PNG',
    },
  },
  {
    name: 'access.log.gz',
    shown: ['text of `access.log` (log, '],
    values: { 'context.text if hasattr(context, "text") else context': 'GET / 200\nGET /x 404\n' },
  },
  {
    name: 'notes.txt.zst',
    make: () => zstdCompressSync('packed'),
    shown: ['text of `notes.txt` ('],
    values: { 'context.text if hasattr(context, "text") else context': 'packed' },
  },
];

/** Files that are other files put together. */
export const ARCHIVES: readonly Kind[] = [
  {
    name: 'files.zip',
    shown: ['`files.zip` (zip archive, ', '3 files, 58 bytes: .csv 1, .html 1, .txt 1'],
    values: {
      'context.keys()': ['docs/readme.txt', 'docs/fees.csv', 'src/a.html'],
      "context['docs/readme.txt'].text": 'Grüße\n',
      "context['docs/fees.csv'].rows[0]": { name: 'Ann', fee: 12 },
      "context['src/a.html'].text": '<!doctype html><p>source</p>',
      "open('context/docs/readme.txt', encoding='utf-8').read()": 'Grüße\n',
    },
  },
  {
    name: 'files.tar',
    shown: ['`files.tar` (tar archive, ', 'files.tar: left out of the archive: a/link (symlink)'],
    values: { 'context.keys()': ['a/one.txt', 'a/fees.csv'], 'context[0].text': 'one\n' },
  },
  {
    name: 'files.tar.gz',
    shown: ['`files.tar.gz` (gzip file, '],
    values: { 'context.keys()': ['a/one.txt', 'a/fees.csv'], 'context[0].text': 'one\n' },
  },
  {
    name: 'mail.mbox',
    shown: ['`mail.mbox` (mailbox, ', '3 messages, 1 attachments, each with its subject as `.title`'],
    values: {
      'context.keys()': ['00001.txt', '00002.txt', '00002/fees.csv', '00003.txt'],
      '[one.title for one in context]': ['First', 'Second', null, 'HTML'],
      'context[0].kind, context[2].kind': ['eml', 'csv'],
      "context[0].meta['from']": 'Ann Äbel <ann@example.org>',
      "'\\nFrom Ann Sat Nov 28 10:00:00 2026\\nquoted' in context[0].text": true,
      'context[2].rows[0]': { name: 'Ann', fee: 12 },
      "context[3].text.endswith('\\n\\nOnly HTML\\n')": true,
    },
  },
];
