/** Folders and lists: nothing is left out unsaid. */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FilesOptions, fromFiles, loadContext } from './index.ts';

let base = '';
let folder = '';
let count = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fathom-folders-'));
});
beforeEach(async () => {
  count += 1;
  folder = join(base, `case-${count}`);
  await mkdir(folder);
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

async function load(paths: string | readonly string[] = '.', options: FilesOptions = {}) {
  const set = await loadContext(fromFiles(paths, { cwd: folder, ...options }));
  if (set.kind !== 'one' || set.context.value.kind !== 'documents') throw new Error('expected documents');
  const { notes = [], description } = set.context;
  return {
    paths: set.context.value.documents.map(({ path }) => path),
    notes: notes.map(({ text }) => text),
    description,
  };
}

const PROGRAM = '\x7fELF\x02\x01\0';

describe('named files', () => {
  test.each([
    ['a program beside a text', { 'a.txt': 'a', 'report.bin': PROGRAM }, ['a.txt', 'report.bin'], 'report.bin'],
    ['UTF-16 that is cut', { 'a.txt': 'a', 'cut.txt': '\ufffe' }, ['a.txt', 'gone.txt'], 'gone.txt'],
    ['noise', { 'a.txt': 'a', 'n.bin': Buffer.from([0, 1, 2, 255]) }, ['a.txt', 'n.bin'], 'n.bin'],
  ])('are used, or they are an error: %s', async (_, files, paths, name) => {
    await write(files as Record<string, string | Buffer>);
    await expect(load(paths)).rejects.toThrow(name);
  });

  test('given twice, by two names or also found, are in it once', async () => {
    await write({ 'a.txt': 'a', 'd/b.txt': 'b' });
    await symlink('a.txt', join(folder, 'again.txt'));
    expect((await load(['a.txt', './a.txt', 'again.txt', 'd', 'd/b.txt', 'd/*.txt'])).paths).toEqual([
      'a.txt',
      'd/b.txt',
    ]);
  });

  test('that are usually secret are taken', async () => {
    await write({ '.env': 'KEY=1', 'b.txt': 'b' });
    expect((await load(['.env', 'b.txt'])).paths).toEqual(['.env', 'b.txt']);
  });
});

describe('what a folder leaves out is counted by reason', () => {
  test('binaries, by the end of their names', async () => {
    await write({
      'one.txt': '1',
      ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}.bin`, PROGRAM])),
    });
    const { paths, notes, description } = await load();
    expect({ paths, notes, description }).toEqual({
      paths: ['one.txt'],
      notes: ['left out: 20 binary (.bin 20)'],
      description: '1 file, 1 byte',
    });
  });

  test('a folder of nothing else says what it found', async () => {
    await write({ 'a.bin': PROGRAM, 'b.bin': PROGRAM });
    await expect(load()).rejects.toThrow('no text file matches; left out: 2 binary (.bin 2)');
  });

  test('.fathomignore decides over .gitignore and .ignore, in its folder and below, and is off with ignoreFiles', async () => {
    await write({ '.gitignore': '*.log\n', '.ignore': 'd/\n', '.fathomignore': '!keep.log\n*.md\n' });
    await write({
      'a.txt': 'a',
      'a.log': 'l',
      'keep.log': 'k',
      'd/e.txt': 'e',
      'sub/b.md': 'b',
      'sub/.fathomignore': '!b.md\n',
    });
    const hidden = (path: string): boolean => !/ignore$/.test(path);
    expect((await load()).paths.filter(hidden)).toEqual(['a.txt', 'keep.log', 'sub/b.md']);
    expect((await load('.', { ignoreFiles: false })).paths.filter(hidden)).toContain('a.log');
  });

  test('links: within the folder they are followed, out of it and dangling ones are reported, loops end', async () => {
    await write({ 'in/real.log': 'r', 'a.txt': 'a' });
    await writeFile(join(base, 'outside.txt'), 'secret of another user');
    await symlink('in/real.log', join(folder, 'current.log'));
    await symlink('../outside.txt', join(folder, 'out.txt'));
    await symlink('/etc', join(folder, 'etc'));
    await symlink('nowhere', join(folder, 'dangling'));
    await symlink('.', join(folder, 'loop'));
    const { paths, notes } = await load();
    expect(paths).toEqual(['a.txt', 'in/real.log']);
    expect(notes).toEqual(['left out: 3 links (dangling, etc, out.txt)']);
    // By a pattern, the link is the only name under which its file is found.
    expect((await load('*.log')).paths).toEqual(['current.log']);
  });

  test('what .gitignore names, node_modules, and secrets', async () => {
    await write({
      '.gitignore': 'dist/\n*.log\n!keep.log\n',
      'src/.gitignore': 'generated.ts\n',
      '.ignore': 'notes/\n',
      ...{
        'src/a.ts': 'a',
        'src/generated.ts': 'g',
        'dist/x.js': 'x',
        'debug.log': 'd',
        'keep.log': 'k',
        'notes/n': 'n',
      },
      ...{ 'node_modules/p/index.js': 'p', '.env': 'K=1', '.env.example': 'K=', id_rsa: 'key', 'server.pem': 'key' },
      ...{ '.npmrc': '//r/:_authToken=1', '.ssh/config': 'Host', '.git/HEAD': 'ref' },
    });
    const { paths, notes } = await load();
    expect(paths).toEqual(['.env.example', '.gitignore', '.ignore', 'keep.log', 'src/.gitignore', 'src/a.ts']);
    expect(notes).toEqual([
      'left out: 5 ignored (debug.log, dist/, generated.ts, …), 5 secret (.env, .npmrc, .ssh/, …)',
    ]);
    const all = await load('.', { ignoreFiles: false });
    expect(all.paths).toContain('node_modules/p/index.js');
    expect(all.paths).toContain('debug.log');
    expect(all.paths).not.toContain('.env');
    expect((await load('dist')).paths).toEqual(['dist/x.js']);
  });

  test('rules of the repository above hold below', async () => {
    await write({
      '.git/HEAD': 'x',
      '.gitignore': '*.tmp\n/pkg/out\n',
      'pkg/a.ts': 'a',
      'pkg/b.tmp': 'b',
      'pkg/out/c': 'c',
    });
    expect(await load('pkg')).toMatchObject({ paths: ['pkg/a.ts'], notes: ['left out: 2 ignored (b.tmp, out/)'] });
  });

  test('what the caller excludes', async () => {
    await write({ 'a.md': 'a', 'docs/b.md': 'b', 'docs/c.txt': 'c', 'old/d.txt': 'd' });
    expect(await load('.', { ignore: ['*.md', 'old/'] })).toMatchObject({
      paths: ['docs/c.txt'],
      notes: ['left out: 3 excluded (a.md, b.md, old/)'],
    });
  });

  test.skipIf(process.getuid?.() === 0)(
    'what cannot be read, a file and a folder (not as root, who can read them)',
    async () => {
      await write({ 'a.txt': 'a', 'no.txt': 'n', 'closed/b.txt': 'b' });
      await chmod(join(folder, 'no.txt'), 0);
      await chmod(join(folder, 'closed'), 0);
      const { paths, notes } = await load();
      await chmod(join(folder, 'closed'), 0o700);
      expect({ paths, notes }).toEqual({ paths: ['a.txt'], notes: ['left out: 2 unreadable (closed/, no.txt)'] });
    },
  );

  test('text in other encodings is in it, and that is said of each, or counted', async () => {
    const files = Array.from({ length: 12 }, (_, at) => [
      `f${String(at).padStart(2, '0')}.txt`,
      Buffer.from('caf\xe9', 'latin1'),
    ]);
    await write(Object.fromEntries(files) as Record<string, Buffer>);
    const { paths, notes } = await load();
    expect(paths).toHaveLength(12);
    expect(notes[0]).toBe('f00.txt is not UTF-8: read as windows-1252');
    expect(notes.at(-1)).toBe('4 more files are not UTF-8 and were read as another encoding');
  });
});

describe('the part of a pattern that exists is literal', () => {
  test.each([
    ['parentheses', 'docs (old)', 'docs (old)/*.txt'],
    ['brackets', 'data[1]', 'data[1]/*.txt'],
    ['braces', '{a,b}', '{a,b}/**/*.txt'],
    ['a star and a question mark', 'what*now?', 'what*now?/a.*'],
    ['an exclamation mark', '!important', '!important/*'],
  ])('%s', async (_, name, pattern) => {
    await write({ [`${name}/a.txt`]: 'a', 'd/b.txt': 'b' });
    expect((await load(pattern)).paths).toEqual([`${name}/a.txt`]);
    expect((await load(join(folder, pattern))).paths).toEqual([`${name}/a.txt`]);
  });

  test('brackets behind a star are a set of characters, or part of a name', async () => {
    await write({ 'app/x/[id]/a.ts': 'a', 'app/x/i/b.ts': 'b', 'app/x/id/c.ts': 'c', 'app/[[...all]]/d.ts': 'd' });
    expect((await load('app/**/[id]/*.ts')).paths).toEqual(['app/x/[id]/a.ts', 'app/x/i/b.ts']);
    expect((await load('app/*all*/*.ts')).paths).toEqual(['app/[[...all]]/d.ts']);
    expect((await load('*/[[...all]]/*.ts')).paths).toEqual(['app/[[...all]]/d.ts']);
    await expect(load('**/[unclosed/*.ts')).rejects.toThrow('no file matches it');
  });

  test('a name with brackets is a name where there is such a file', async () => {
    await write({ 'data[1].csv': 'a', 'data1.csv': 'b' });
    expect((await load(['data[1].csv'])).paths).toEqual(['data[1].csv']);
    await rm(join(folder, 'data[1].csv'));
    expect((await load(['data[1].csv'])).paths).toEqual(['data1.csv']);
  });
});

test('a folder is described by its size, kinds and places', async () => {
  await write({ 'src/a.ts': 'a', 'src/b.ts': 'bb', 'docs/c.md': 'ccc', Makefile: 'm' });
  expect((await load()).description).toBe('4 files, 7 bytes: .ts 2, .md 1, no suffix 1; in src 2, docs 1');
});
