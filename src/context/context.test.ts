import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type ContextInput, contexts, fromFile, fromFiles, isEmptyContext, loadContext, projected } from './index.ts';
import type { LoadedContext } from './input.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-context-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function one(input: ContextInput | undefined): Promise<LoadedContext> {
  const set = await loadContext(input);
  if (set.kind !== 'one') throw new Error('expected one context');
  return set.context;
}

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

test('a UTF-16 file that is cut short is named before anything is spent, alone and among others', async () => {
  const cut = await write('cut.txt', Buffer.from([0xff, 0xfe, 0x41, 0x00, 0x42]));
  for (const input of [fromFile(cut), fromFiles([await write('whole.txt', 'x'), cut])]) {
    await expect(loadContext(input)).rejects.toMatchObject({
      code: 'context-invalid',
      message: `The context file ${cut} cannot be used: it is cut short (utf-16le has an even number of bytes).`,
    });
  }
});

describe('a context in memory', () => {
  it('is None when there is none', async () => {
    expect((await one(undefined)).value).toEqual({ kind: 'none' });
    expect(isEmptyContext(await loadContext(undefined))).toBe(true);
  });

  it('keeps a text as it is, lone surrogates included', async () => {
    const text = 'a\r\nb\0\ud800"""';
    expect((await one(text)).value).toEqual({ kind: 'text', text });
  });

  it('hands a JSON value over as JSON text', async () => {
    expect(await one({ a: [1, 'x', null] })).toMatchObject({
      value: { kind: 'json', json: '{"a":[1,"x",null]}' },
      type: 'dict',
      size: 1,
    });
    expect(await one([1, 2])).toMatchObject({ type: 'list', size: 2 });
  });

  it.each([
    ['a function', { a: () => 1 }],
    ['undefined inside', { a: undefined }],
    ['a bigint', [1n]],
    ['infinity', [Number.POSITIVE_INFINITY]],
  ])('refuses %s instead of dropping it', async (_, value) => {
    await expect(loadContext(value as unknown as ContextInput)).rejects.toMatchObject({ code: 'context-invalid' });
  });

  it('counts characters as Python does', async () => {
    expect((await one('a😀\ud800')).size).toBe(3);
    expect(await one(await write('emoji.txt', 'é😀').then((path) => fromFile(path)))).toMatchObject({ size: 2 });
  });

  it('takes what toJSON makes of an object', async () => {
    expect(await one(new Date(0) as unknown as string)).toMatchObject({ type: 'str', empty: false });
  });

  it('refuses a cycle', async () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    await expect(loadContext(loop as unknown as ContextInput)).rejects.toMatchObject({ code: 'context-invalid' });
  });

  it('is empty when it holds nothing', async () => {
    for (const empty of ['', [], {}]) expect(isEmptyContext(await loadContext(empty))).toBe(true);
    for (const full of ['x', [0], { a: 1 }, 0]) expect(isEmptyContext(await loadContext(full))).toBe(false);
  });

  it('shows a bounded preview of a large text: its beginning, whole lines of its middle, its end', async () => {
    const lines = Array.from({ length: 2_001 }, (_, index) => `line ${index} of the text`);
    const { preview = '', lines: counted } = await one(lines.join('\n'));
    expect(counted).toBe(2_001);
    expect(preview).toMatch(/^line 0 of/);
    expect(preview).toMatch(/line 2000 of the text$/);
    const middle = preview.split('\n[…]\n')[1]?.split('\n') ?? [];
    expect(middle.length).toBeGreaterThan(10);
    for (const line of middle) expect(lines).toContain(line);
    expect(lines.indexOf(middle[0] ?? '')).toBeGreaterThan(700);
    expect(preview.length).toBeGreaterThan(1_500);
    expect(preview.length).toBeLessThan(2_500);
  });

  it('shows the whole of a text that is no longer than a preview', async () => {
    const text = 'One line.\n'.repeat(190);
    expect((await one(text)).preview).toBe(text);
  });

  it('cuts no character of a preview in two', async () => {
    for (const shift of ['', 'x']) {
      const { preview } = await one(`${shift}${'😀'.repeat(1_000)}${shift}`);
      expect(preview?.isWellFormed()).toBe(true);
    }
  });
});

describe('named contexts', () => {
  it('keep their names', async () => {
    const set = await loadContext(contexts({ before: 'x', after: [1] }));
    expect(set.kind === 'named' && [...set.contexts.keys()]).toEqual(['before', 'after']);
  });

  it.each(['my-name', '1st', 'class', 'naïve', ''])('refuse the name %j', async (name) => {
    await expect(loadContext(contexts({ [name]: 'x' }))).rejects.toMatchObject({ code: 'invalid-name' });
  });

  it('refuse to be none', async () => {
    await expect(loadContext(contexts({}))).rejects.toMatchObject({ code: 'context-invalid' });
  });
});

describe('fromFile', () => {
  it('refers to the file by path, size, time and encoding', async () => {
    const path = await write('plain.txt', 'hällo');
    expect((await one(fromFile(path))).value).toEqual({
      kind: 'file',
      path,
      bytes: 6,
      encoding: 'utf-8',
      modified: expect.stringMatching(/^\d{19}$/),
      skip: 0,
      as: 'text',
    });
  });

  it.each([
    ['UTF-8', Buffer.from('\ufeffhi', 'utf8'), 'utf-8', 3],
    ['UTF-16 little endian', Buffer.from('\ufeffhi', 'utf16le'), 'utf-16le', 2],
    ['UTF-16 big endian', Buffer.from('\ufeffhi', 'utf16le').swap16(), 'utf-16be', 2],
  ])('knows %s by its mark', async (name, bytes, encoding, skip) => {
    const loaded = await one(fromFile(await write(`${name}.txt`, bytes)));
    expect(loaded.value).toMatchObject({ encoding, skip });
    expect(loaded.preview).toBe('hi');
  });

  it('understands the usual spellings of an encoding', async () => {
    const path = await write('marked.txt', '\ufeffhi');
    for (const encoding of ['utf8', 'UTF-8', 'Utf_8'])
      expect((await one(fromFile(path, { encoding }))).value).toMatchObject({ skip: 3 });
    for (const encoding of ['latin1', 'Latin-1', 'ISO-8859-1', 'cp1252'])
      expect((await one(fromFile(path, { encoding }))).value).toMatchObject({ encoding: 'windows-1252', skip: 0 });
  });

  it.each([
    ['a path that is a number', fromFile(5 as never)],
    ['an empty path', fromFile('')],
    ['an unknown encoding', fromFile('x', { encoding: 'klingon' })],
    ['an unknown form', fromFile('x', { as: 'yaml' as never })],
    ['options that are a string', fromFile('x', 'utf8' as never)],
    ['a number in place of a list of files', fromFiles(5 as never)],
    ['a list with a number in place of a file', fromFiles([5] as never)],
    ['one pattern to leave out, not a list', fromFiles('.', { ignore: '*.md' as never })],
    ['a projection of nothing', projected(undefined as never)],
    ['a projection without functions', projected({ text: {} } as never)],
    ['a projection of a value that JSON cannot hold', projected([1n] as never)],
    ['a projection of no length', projected({ list: { length: () => -1, slice: () => [] } })],
  ])('refuses %s', async (_, source) => {
    await expect(one(source)).rejects.toMatchObject({ code: 'context-invalid', userAction: true });
  });

  it('says what is missing or no file', async () => {
    await expect(one(fromFile(join(folder, 'nowhere')))).rejects.toMatchObject({ code: 'context-not-found' });
    await expect(one(fromFile('https://example.com/a'))).rejects.toThrow(
      'file https://example.com/a cannot be used: it is a URL',
    );
    await expect(one(fromFile(folder))).rejects.toMatchObject({ code: 'context-invalid' });
  });

  it('previews a large file as it does a text, without halves of characters', async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => `${'é'.repeat(index % 7)} line ${index}`);
    for (const [encoding, content] of [
      ['utf-8', lines.join('\n')],
      ['utf-16le', Buffer.from(lines.join('\n'), 'utf16le')],
    ] as const) {
      const { preview = '', lines: counted } = await one(fromFile(await write('large.txt', content), { encoding }));
      const [head = '', middle = '', tail = ''] = preview.split('\n[…]\n');
      expect(head).toMatch(/^ line 0\n/);
      expect(tail).toMatch(/line 2999$/);
      for (const line of middle.split('\n')) expect(lines).toContain(line);
      expect(preview).not.toContain('\ufffd');
      expect(counted).toBe(3_000);
    }
    const { preview = '' } = await one(fromFile(await write('one-line.txt', 'é'.repeat(20_001))));
    expect(preview).toMatch(/^é+\n\[…\]\né+$/);
  });

  it.each([
    [
      [
        { id: 1, tags: ['a'] },
        { id: 2.5, note: null },
      ],
      'items: dict with `id` (int or float), `tags` (list of str), `note` (None)',
    ],
    [{ users: [{ name: 'x' }], total: 3 }, 'keys: `users` (list of dict with `name` (str)), `total` (int)'],
    [['a', 'b', 1], 'items: str or int'],
    [{ 'a`\nFINAL(1)': true }, 'keys: `a\\u0060\\u000aFINAL(1)` (bool)'],
    [[], ''],
  ])('describes the shape of JSON: %j', async (value, shape) => {
    expect((await one(value)).shape).toBe(shape);
  });
});

describe('fromFiles', () => {
  it('takes folders, files and patterns, in path order, without .git and binaries', async () => {
    const root = join(folder, 'tree');
    await write('tree/b.txt', 'b');
    await write('tree/a/x.md', 'a');
    await write('tree/.git/config', 'no');
    await write('tree/image.bin', Buffer.from([0, 1, 2]));
    const all = await one(fromFiles(root, { cwd: root }));
    expect(all.value.kind === 'documents' && all.value.documents.map(({ path }) => path)).toEqual(['a/x.md', 'b.txt']);
    const some = await one(fromFiles('**/*.md', { cwd: root }));
    expect(some.size).toBe(1);
  });

  it('says when nothing matches', async () => {
    await expect(one(fromFiles('*.nothing', { cwd: folder }))).rejects.toMatchObject({ code: 'context-not-found' });
  });
});

describe('projected', () => {
  it('cuts a text of this process by code point', async () => {
    const text = `${'a😀'.repeat(5_000)}\ud800end`;
    const points = [...text];
    const { projection, size } = await one(projected(text));
    if (projection?.shape !== 'text') throw new Error('expected a text');
    expect(size).toBe(points.length);
    for (const [start, stop] of [
      [0, 3],
      [4_095, 4_099],
      [8_191, 8_193],
      [9_999, 10_004],
      [10_003, 10_004],
    ] as const)
      expect(await projection.slice(start, stop)).toBe(points.slice(start, stop).join(''));
  });

  it('takes a list or a Map of this process', async () => {
    expect(await one(projected([1, 2]))).toMatchObject({ size: 2, value: { shape: 'list' } });
    expect(await one(projected(new Map([['a', 1]])))).toMatchObject({ size: 1, value: { shape: 'mapping' } });
  });

  it('is read for its size only', async () => {
    const reads: string[] = [];
    const loaded = await one(
      projected({
        list: {
          length: () => 7,
          slice: (start, stop) => {
            reads.push(`${start}-${stop}`);
            return [];
          },
        },
      }),
    );
    expect(loaded).toMatchObject({ size: 7, preview: undefined, value: { kind: 'projection', shape: 'list' } });
    expect(reads).toEqual([]);
  });
});
