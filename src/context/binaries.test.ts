/** Files that are not text: never given as if they were. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../limits.ts';
import { firstMessage } from '../prompt/index.ts';
import { fromFile, fromFiles, loadContext } from './index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-binaries-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, content: Buffer | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const zipOf = (part: string): Buffer =>
  latin(`PK\x03\x04\x14\0\0\0${'\xff'.repeat(40)}PK\x01\x02\0\0${part}PK\x05\x06`);

describe('refused, with what to do', () => {
  test.each([
    ['an old Word file', 'x.doc', latin('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'an older Office file'],
    ['a program', 'x.bin', latin('\x7fELF\x02\x01\x01\0'), 'a program, not text'],
    ['UTF-32', 'x32.txt', latin('\xff\xfe\0\0a\0\0\0'), 'text in UTF-32'],
    ['NULs', 'zeros', Buffer.alloc(100), 'binary data, not text'],
    ['random bytes', 'noise', Buffer.from('8f02e10c9a07b31d04f6c81e', 'hex'), 'binary data, not text'],
    [
      'numbers of two bytes',
      'samples',
      Buffer.from(Int16Array.from({ length: 400 }, (_, at) => at * 37)),
      'binary data',
    ],
  ])('%s', async (_, name, content, words) => {
    const path = await written(name, content);
    for (const source of [fromFile(path), fromFiles([path, await written('beside.txt', 'x')])]) {
      const refused = loadContext(source);
      await expect(refused).rejects.toMatchObject({ code: 'context-invalid', userAction: true, data: { path } });
      await expect(refused).rejects.toThrow(`The context file ${path} cannot be used: `);
      await expect(refused).rejects.toThrow(words);
    }
  });
});

describe('documents that cannot be read', () => {
  test.each([
    [
      'a PDF',
      'scan.pdf',
      latin('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj'),
      'it is a PDF that cannot be read: it is damaged',
    ],
    ['a PDF of ASCII alone', 'ascii.pdf', '%PDF-1.7\n1 0 obj\n', 'it is a PDF that cannot be read'],
    ['a PDF under another name', 'contract.txt', latin('%PDF-1.5\xe2'), 'it is a PDF that cannot be read'],
    ['a Word document', 'c.docx', zipOf('word/document.xml'), 'it is a Word document that cannot be read'],
    ['a workbook', 'c.xlsx', zipOf('xl/workbook.xml'), 'it is an Excel workbook that cannot be read'],
    ['a book', 'c.epub', zipOf('META-INF/container.xml'), 'it is an EPUB book that cannot be read'],
    ['an archive', 'c.zip', zipOf('a.txt'), 'it is a zip archive that cannot be read'],
    [
      'a tar archive',
      'c.tar',
      Buffer.concat([Buffer.alloc(257), latin('ustar\x0000'), Buffer.alloc(200)]),
      'it is a tar archive that',
    ],
    ['Parquet', 'x.parquet', latin('PAR1\x15\x04\0'), 'it is a Parquet file that cannot be read'],
    ['PNG', 'x.png', latin('\x89PNG\r\n\x1a\n\0\0'), 'it is an image that cannot be read'],
    ['zstd', 'x.zst', latin('\x28\xb5\x2f\xfd\x04\0'), 'it is a zstd file that cannot be read'],
    ['a database', 'c.db', latin('SQLite format 3\0\x10\0'), 'it is a SQLite database that cannot be read'],
  ])('%s: the error says so, and how to have its bytes', async (_, name, content, words) => {
    const path = await written(name, content);
    const refused = loadContext(fromFile(path));
    await expect(refused).rejects.toMatchObject({ code: 'context-invalid', userAction: true, data: { path } });
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toThrow("the encoding 'binary' gives its bytes");
    await expect(loadContext(fromFile(path, { encoding: 'binary' }))).resolves.toMatchObject({
      context: { type: 'bytes' },
    });
  });
});

describe('given as bytes, with how to open them', () => {
  test.each([
    ['bzip2', 'c.bz2', latin('BZh91AY&SY\xff\0'), 'bzip2 file', 'bz2.decompress(context)'],
    ['xz', 'c.xz', latin('\xfd7zXZ\0\0\x04'), 'xz file', 'lzma.decompress(context)'],
  ])('%s', async (_, name, content, kind, opens) => {
    const set = await loadContext(fromFile(await written(name, content)));
    if (set.kind !== 'one') throw new Error('expected one');
    const { context } = set;
    expect(context).toMatchObject({ type: 'bytes', size: content.length, value: { as: 'bytes', encoding: 'binary' } });
    expect(context.preview).toBeUndefined();
    const message = firstMessage({ query: 'Q', contexts: set, names: ['context'], limits: DEFAULT_LIMITS });
    expect(message).toContain(`\`context\`: bytes, bytes of \`${name}\` (${kind}, `);
    expect(message).toContain(opens);
    expect(context.notes?.[0]?.text).toMatch(/is an? .* not text: code gets its bytes/);
  });

  test('beside other files it is a document of its own', async () => {
    const paths = [await written('contract.xz', latin('\xfd7zXZ\0\0\x04')), await written('notes.txt', 'n')];
    const set = await loadContext(fromFiles(paths, { cwd: folder }));
    if (set.kind !== 'one' || set.context.value.kind !== 'documents') throw new Error('expected documents');
    expect(set.context.value.documents.map(({ path }) => path)).toEqual(['contract.xz', 'notes.txt']);
    expect(firstMessage({ query: 'Q', contexts: set, names: ['context'], limits: DEFAULT_LIMITS })).toContain(
      'open it with lzma.decompress(context["contract.xz"].bytes)',
    );
  });

  test('any file, where bytes are asked for', async () => {
    const path = await written('any.pdf', latin('%PDF-1.4\xe2'));
    for (const source of [fromFile(path, { as: 'bytes' }), fromFile(path, { encoding: 'binary' })])
      expect(await loadContext(source)).toMatchObject({ context: { type: 'bytes', size: 9 } });
  });
});

test.each(['BZh is how this begins', 'ORCs are in it', 'ID3 tags are old', 'RIFF: a word', '%PDF is a kind of file'])(
  'text that begins like a binary file is text: %s',
  async (text) => {
    expect(await loadContext(fromFile(await written('t.txt', text)))).toMatchObject({ context: { preview: text } });
  },
);
