/** Broken, hostile and odd files: each gives the right result or a clear error, and the memory of the host stays flat. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromFile, loadContext } from '../../src/context/index.ts';

/** Megabytes that a bomb unpacks to. `FATHOM_BOMB_MB=4096` for the full form. */
const MEGABYTES = process.env.FATHOM_BOMB_MB ?? '100';
/** Bytes by which the host may grow over all files: less than any of them unpacks to. */
const HOST_GROWTH = 80 * 1024 * 1024;

let folder = '';
let before = 0;
const cache = process.env.FATHOM_CACHE_DIR;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-odd-'));
  process.env.FATHOM_CACHE_DIR = join(folder, 'cache');
  const script = fileURLToPath(new URL('make_odd_files.py', import.meta.url));
  execFileSync('python3', ['-W', 'ignore', script, folder, MEGABYTES]);
  before = process.memoryUsage().rss;
});
afterAll(() => {
  if (cache === undefined) delete process.env.FATHOM_CACHE_DIR;
  else process.env.FATHOM_CACHE_DIR = cache;
  rmSync(folder, { recursive: true, force: true });
});

const ERRORS: readonly (readonly [name: string, words: string])[] = [
  ['zeros.gz', 'which looks like a decompression bomb'],
  ['bomb.xlsx', 'xl/worksheets/sheet1.xml in it unpacks from'],
  ['bomb.zip', 'which looks like a decompression bomb'],
  ['broken.ipynb', 'a Jupyter notebook that cannot be read: it is damaged'],
  ['columns.ods', 'a row of it has more than 16384 cells'],
  ['rows.ods', 'repeated 1000000 times, which looks like a bomb'],
  ['cut-xml.xlsx', 'it is cut short: the element '],
  ['cut.gz', 'it is damaged: unexpected end of file'],
  ['cut.jpg', 'it is an image that cannot be read: it is damaged'],
  ['cut.pdf', 'it is a PDF that cannot be read: it is damaged'],
  ['cut.tar', 'it is damaged: Tar archive is truncated'],
  ['cut.zip', 'it is a zip archive that cannot be read: it is damaged'],
  ['end.parquet', 'it is a Parquet file that cannot be read: it is damaged'],
  ['loop.pdf', 'Pages tree contains circular reference'],
  ['noise.db', 'it is damaged: database disk image is malformed'],
  ['wide.xlsx', 'a cell in column 475254, and Excel has 16384'],
  ['wrong-sum.gz', 'it is damaged: incorrect data check'],
  ['name\u001b[31m\n.pdf', 'it is a PDF that cannot be read'],
];

interface Seen {
  readonly preview?: string;
  readonly shape?: string;
  /** Paths of the documents in an archive. */
  readonly paths?: readonly string[];
  readonly note?: string;
}

const RESULTS: readonly (readonly [name: string, seen: Seen])[] = [
  ['bomb.pdf', { preview: '' }],
  ['bytes.eml', { preview: 'From: a@b.c\nSubject: \ufffd\ufffd\n\nÿþ café\n' }],
  ['dates.xlsx', { preview: '# S\n1900-02-28\t1e+99\t2026-01-31T12:00:00\n\n' }],
  ['deep.html', { preview: 'deep' }],
  ['empty.zip', { paths: [] }],
  ['forged.mbox', { paths: ['00001.txt', '00002.txt'] }],
  ['latin.html', { preview: 'café €' }],
  ['laughs.xlsx', { preview: '# S\n&b;\n\n' }],
  ['mixed.txt', { note: 'mixed.txt is not UTF-8: read as windows-1252' }],
  ['name.eml', { preview: 'From: a@b.c\nSubject: s\n\n\n', shape: '`.documents` (1 attached)' }],
  ['nested.zip', { paths: ['inner.zip', 't.txt'] }],
  ['no-such-string.xlsx', { preview: '# S\n\t5\n\n' }],
  ['no-text.docx', { preview: '' }],
  ['odd.db', { shape: '`a "b` of 1 row with `x`, `y`', note: '1 views and virtual tables have their SQL' }],
  ['open.eml', { preview: 'From: a@b.c\nSubject: s\n\nfirst\n--y--\n\nsecond\n' }],
  ['open.html', { preview: 'a\tb\nc\td' }],
  ['ragged.csv', { preview: 'a,b\n1\n1,2,3\n\n' }],
  ['same-names.zip', { paths: ['a.txt', 'a-2.txt'] }],
  ['scripts.html', { preview: 'Yesgo', shape: '`.title` "T"' }],
  ['slip.tar', { paths: ['evil.txt', 'etc/cron.d/x', 'ok.txt'], note: 'names that lead out of the archive are cut' }],
  ['slip.zip', { paths: ['etc/passwd', 'abs/a.txt', 'a/b.txt', 'w.txt'], note: 'are cut: ../../etc/passwd' }],
  ['two-members.gz', { preview: 'one\ntwo\n' }],
  ['wide.csv', { shape: '.rows' }],
  ['xxe.docx', { preview: 'A&f;B\n' }],
];

describe('a clear error', () => {
  test.each(ERRORS)('%j', async (name, words) => {
    const loading = loadContext(fromFile(join(folder, name)));
    await expect(loading).rejects.toMatchObject({ code: 'context-invalid', userAction: true });
    await expect(loading).rejects.toThrow(words);
  });
});

describe('the right result', () => {
  test.each(RESULTS)('%s', async (name, { preview, shape, paths, note }) => {
    const set = await loadContext(fromFile(join(folder, name)));
    if (set.kind !== 'one') throw new Error('expected one');
    const { context } = set;
    if (preview !== undefined) expect(context.preview).toBe(preview);
    if (shape !== undefined) expect(context.shape).toContain(shape);
    if (note !== undefined) expect(context.notes?.map(({ text }) => text).join('\n')).toContain(note);
    if (paths === undefined) return;
    const { value } = context;
    if (value.kind !== 'documents') throw new Error('expected documents');
    expect(value.documents.map(({ path }) => path)).toEqual(paths);
  });
});

test('nothing was written outside of the cache, and the host has not grown', () => {
  expect(existsSync('/etc/cron.d/x')).toBe(false);
  expect(readdirSync(folder)).not.toContain('evil.txt');
  expect(ERRORS.length + RESULTS.length).toBeGreaterThanOrEqual(40);
  // Failed conversions leave nothing behind.
  const kept = readdirSync(join(folder, 'cache', 'conversions'));
  expect(kept.filter((name) => !/^[a-z]+-\d+-[0-9a-f]{64}$/.test(name))).toEqual([]);
  expect(process.memoryUsage().rss - before).toBeLessThan(HOST_GROWTH);
});
