/** The paths of context files in a REPL, and the words about them. */
import { describe, expect, test } from 'vitest';
import { type ContextSet, type LoadedContext, loadContext } from '../context/index.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { FileValue, ReplValue } from '../repl/port.ts';
import { ContextFilePaths } from './context-files.ts';

const CWD = '/home/me/project';

const fileAt = (path: string, more: Partial<FileValue> = {}): FileValue => ({
  ...{ kind: 'file', path, bytes: 10, encoding: 'utf-8', skip: 0, as: 'text' },
  ...more,
});

function contextOf(value: ReplValue): LoadedContext {
  return { value, type: 'str', size: 1, unit: 'characters', preview: undefined, empty: false };
}

const one = (value: ReplValue): ContextSet => ({ kind: 'one', context: contextOf(value) });
const documents = (paths: Readonly<Record<string, string>>): ContextSet =>
  one({
    kind: 'documents',
    documents: Object.entries(paths).map(([path, host]) => ({ path, content: fileAt(host) })),
  });
const pathsOf = (set: ContextSet, paths = new ContextFilePaths()): readonly string[] =>
  paths.add(set, CWD).files.map(({ at }) => at);

describe('a file that is a context by itself', () => {
  test.each([
    [`${CWD}/a.csv`, 'a.csv'],
    [`${CWD}/data/2024/a.csv`, 'data/2024/a.csv'],
    ['/var/log/syslog', 'abs/var/log/syslog'],
    ['/home/me/project-2/a', 'abs/home/me/project-2/a'],
  ])('%s is at %s', (path, at) => expect(pathsOf(one(fileAt(path)))).toEqual([at]));

  test('has its name where it has one of its own', () => {
    expect(pathsOf(one(fileAt('/tmp/x/spool-17', { name: 'standard input' })))).toEqual(['standard-input']);
  });
});

describe('documents', () => {
  test('are under their paths, absolute ones below abs/', () => {
    const set = documents({ 'src/a.ts': `${CWD}/src/a.ts`, '/etc/hosts': '/etc/hosts', 'b c/ü.md': `${CWD}/b c/ü.md` });
    expect(pathsOf(set)).toEqual(['src/a.ts', 'abs/etc/hosts', 'b c/ü.md']);
  });

  test.each([
    ['../../up.txt', 'up.txt'],
    ['./a//b/./c', 'a/b/c'],
    ['..', 'file'],
    ['a\0b', 'a\uFFFDb'],
    ['half \ud800', 'half \uFFFD'],
  ])('%j cannot leave the folder', (path, at) => expect(pathsOf(documents({ [path]: '/x' }))).toEqual([at]));

  test('a name that is too long is shortened, whole characters each', () => {
    const [at = ''] = pathsOf(documents({ [`${'ü'.repeat(200)}/😀${'x'.repeat(300)}`]: '/x' }));
    expect(at.split('/').map((part) => Buffer.byteLength(part))).toEqual([240, 240]);
    expect(at.isWellFormed()).toBe(true);
  });
});

describe('paths that are taken', () => {
  test.each([
    [{ 'a.txt': '/1/a' }, { 'a.txt': '/2/a' }, 'a-2.txt'],
    [{ 'a/b': '/1/ab' }, { a: '/2/a' }, 'a-2'],
    [{ a: '/1/a' }, { 'a/b': '/2/ab' }, 'a-2/b'],
    [{ 'x/.env': '/1' }, { 'x/.env': '/2' }, 'x/-2.env'],
  ] as const)('%j and then %j', (before, now, at) => {
    const paths = new ContextFilePaths();
    pathsOf(documents(before), paths);
    expect(pathsOf(documents(now), paths)).toEqual([at]);
    expect(paths.add(documents(now), CWD).words).toContain(`is \`context/${at}\``);
  });

  test('the same file again has the same path, and takes its room once', () => {
    const paths = new ContextFilePaths(8192);
    const set = documents({ 'a.txt': '/1/a', 'b.txt': '/1/b' });
    for (let times = 0; times < 3; times += 1) expect(pathsOf(set, paths)).toEqual(['a.txt', 'b.txt']);
  });
});

describe('room', () => {
  test('files are counted in blocks; files that do not fit are named with their size', () => {
    const paths = new ContextFilePaths(3 * 4096);
    const large = fileAt(`${CWD}/large`, { bytes: 4097 });
    const { files, words } = paths.add(
      {
        kind: 'named',
        contexts: new Map([
          ['a', contextOf(fileAt(`${CWD}/a`))],
          ['b', contextOf(large)],
          ['c', contextOf(fileAt(`${CWD}/c`))],
        ]),
      },
      CWD,
    );
    expect(files.map(({ at }) => at)).toEqual(['a', 'large']);
    expect(words).toContain('`c` (10 bytes) cannot be opened as a file');
  });

  test('one file above it leaves the others', () => {
    const set = one({
      kind: 'documents',
      documents: [
        { path: 'huge', content: fileAt('/huge', { bytes: DEFAULT_LIMITS.contextFileBytes + 1 }) },
        { path: 'small', content: fileAt('/small') },
      ],
    });
    const { files, words } = new ContextFilePaths().add(set, CWD);
    expect(files.map(({ at }) => at)).toEqual(['small']);
    expect(words).toBe(
      'The file is `context/small`, read-only, for `open()` and bash. `huge` (134 MB) cannot be opened as a file, because there is room for 134 MB: use the variable.',
    );
  });
});

test.each([0, 1, 4095])('the limit contextFileBytes of %i leaves every file to its variable', (limit) => {
  const { files, words } = new ContextFilePaths(limit).add(documents({ a: '/a', b: '/b' }), CWD);
  expect(files).toEqual([]);
  expect(words).toMatch(
    /^`a`, `b` \(.*\) cannot be opened as files, because there is room for .+: use the variable\.$/,
  );
});

test.each(['text', { a: 1 }, undefined])('%j has no files, and no words about them', async (context) => {
  const paths = new ContextFilePaths();
  expect(paths.add(await loadContext(context), CWD)).toEqual({ files: [], words: undefined });
});

test('many files are named by their folder and one of them', () => {
  const set = documents(Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`d/${at}`, `/d/${at}`])));
  const paths = new ContextFilePaths(2 ** 30);
  const { files, words } = paths.add(set, CWD);
  expect(files).toHaveLength(50_000);
  expect(words).toBe(
    'The files are below `context/` under their paths, read-only, for `open()` and bash: `context/d/0`, ….',
  );
});
