/** Inputs that users have as files: each is the context exactly, or it is reported. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromFile, fromFiles, loadContext } from '../../src/context/index.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { firstMessage } from '../../src/prompt/index.ts';

let base = '';
let folder = '';
let count = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fathom-inputs-'));
});
beforeEach(async () => {
  count += 1;
  folder = join(base, `case-${count}`);
  await mkdir(folder);
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function loadOne(source: ReturnType<typeof fromFile>) {
  const set = await loadContext(source);
  if (set.kind !== 'one') throw new Error('expected one context');
  return {
    ...set.context,
    message: firstMessage({ query: 'Q?', contexts: set, names: ['context', 'context_0'], limits: DEFAULT_LIMITS }),
  };
}

async function loadFolder(paths: string | readonly string[] = '.') {
  const { value, notes = [], ...rest } = await loadOne(fromFiles(paths, { cwd: folder }));
  if (value.kind !== 'documents') throw new Error('expected documents');
  return { ...rest, paths: value.documents.map(({ path }) => path), notes: notes.map(({ text }) => text) };
}

const NOTEBOOK = JSON.stringify({ cells: [{ cell_type: 'code', source: ['1 + 1'], outputs: [] }], nbformat: 4 });
const MBOX = 'From a@example.org Sat Nov 28 10:00:00 2026\nSubject: Grüße\n\nHello\n\n>From here\n';

describe('D: text of every kind is the whole file, with its name, kind and characters', () => {
  test.each([
    ['JSONL', 'rows.jsonl', '{"a": 1}\n{"a": 12345678901234567890}\n', 'JSON Lines'],
    ['NDJSON without an end of line', 'rows.ndjson', '{"a": 1}\n{"a": 2}', 'JSON Lines'],
    ['JSON', 'data.json', '[1, 2, {"ü": null}]', 'JSON'],
    ['a notebook', 'work.ipynb', NOTEBOOK, 'Jupyter notebook'],
    ['a mailbox', 'mail.mbox', MBOX, 'mailbox'],
    ['an e-mail', 'one.eml', 'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n', 'e-mail'],
    ['CSV with line ends in fields', 'q.csv', 'a,b\n"x\ny","say ""no"""\n', 'CSV'],
    ['CRLF', 'dos.txt', 'one\r\ntwo\r\n', undefined],
    ['HTML', 'page.html', '<!doctype html><p>Straße</p>', 'HTML'],
    ['colours of a terminal', 'build.log', '\u001b[31merror\u001b[0m at 1\n', 'log'],
    ['one line of 2 MB', 'long.txt', 'x'.repeat(2_000_000), undefined],
  ])('%s', async (_, name, content, kind) => {
    const loaded = await loadOne(fromFile(await write(name, content), { as: 'text' }));
    expect(loaded.type).toBe('str');
    expect(loaded.size).toBe([...content].length);
    expect(loaded.notes ?? []).toEqual([]);
    expect(loaded.message).toContain(`\`${name}\``);
    if (kind !== undefined) expect(loaded.message).toContain(`(${kind}, `);
  });

  test('a text of 64 MB is looked at in pieces: the host holds less than a quarter of it', async () => {
    const path = await write('large.txt', '');
    const line = Buffer.alloc(1024 * 1024, 'words of a long text\n');
    for (let mb = 0; mb < 64; mb += 1) await writeFile(path, line, { flag: 'a' });
    const before = process.memoryUsage().arrayBuffers;
    const loaded = await loadOne(fromFile(path));
    expect(loaded.size).toBe(64 * 1024 * 1024);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('D: what is empty is reported', () => {
  test.each([
    ['nothing', ''],
    ['only a byte-order mark', '\ufeff'],
    ['only a byte-order mark of UTF-16', Buffer.from([0xff, 0xfe])],
  ])('%s', async (_, content) => {
    const loaded = await loadOne(fromFile(await write('empty.txt', content)));
    expect(loaded.empty).toBe(true);
    expect((loaded.notes ?? []).map(({ text }) => text)).toEqual(['empty.txt is empty']);
  });
});

test.each(['  \n\n', '\t', '\r\n\r\n', ' '.repeat(1_000), '\u00a0\u3000'])(
  'D: a file of blanks is reported (%#)',
  async (content) => {
    const loaded = await loadOne(fromFile(await write('blank.txt', content)));
    expect((loaded.notes ?? []).map(({ text }) => text)).toEqual(['blank.txt holds only blanks']);
    expect(loaded.empty).toBe(false);
  },
);

describe.skipIf(process.platform === 'win32')('D: links and names', () => {
  test('loops of links have an end', async () => {
    await write('a/text.txt', 'a');
    await symlink('..', join(folder, 'a', 'up'));
    await symlink('.', join(folder, 'a', 'self'));
    await symlink('two', join(folder, 'one'));
    await symlink('one', join(folder, 'two'));
    const { paths, notes } = await loadFolder();
    expect(paths).toEqual(['a/text.txt']);
    expect(notes.join()).toContain('links');
  });

  test('a loop that is named is an error with its name', async () => {
    await symlink('two', join(folder, 'one'));
    await symlink('one', join(folder, 'two'));
    await expect(loadFolder(['one'])).rejects.toThrow('one');
  });

  test('links that lead nowhere, or out, are reported', async () => {
    await write('a.txt', 'a');
    await symlink('gone.txt', join(folder, 'dangling.txt'));
    await symlink(tmpdir(), join(folder, 'out'));
    const { paths, notes } = await loadFolder();
    expect(paths).toEqual(['a.txt']);
    expect(notes.join()).toMatch(/left out: 2 links \(.*dangling\.txt.*out/);
  });

  test.each([['data[1].csv'], ['a b.txt'], ['-n.txt'], ['🐍.txt'], ['two\nlines.txt'], ['{x,y}.txt'], ['wow!.txt']])(
    'a file called %j is found by its name and in its folder',
    async (name) => {
      await write(name, 'content');
      expect((await loadFolder([name])).paths).toEqual([name]);
      const listed = await loadFolder();
      expect(listed.paths).toEqual([name]);
      expect(listed.message.split('\n').length).toBeLessThan(13);
    },
  );
});
