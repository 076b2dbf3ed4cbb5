import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeepCopy } from '../copies.ts';
import { namedFile } from '../from-file.ts';
import { loadContext } from '../load.ts';
import { copyFromGit, type GitRequest } from './git-tree.ts';

let folder = '';
let repository = '';
const git = (args: readonly string[], cwd = repository, input?: string): string =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@t', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    ...(input !== undefined && { input }),
  }).trim();
const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(repository, path)), { recursive: true });
  writeFileSync(join(repository, path), content);
};
/** A program that proves by a file that it was run. */
const trap = (name: string, then = 'cat'): { readonly program: string; readonly sprung: () => boolean } => {
  const [program, mark] = [join(folder, `${name}.sh`), join(folder, `${name}.ran`)];
  writeFileSync(program, `#!/bin/sh\ntouch '${mark}'\n${then}\n`);
  chmodSync(program, 0o755);
  const sprung = (): boolean => existsSync(mark);
  return { program, sprung };
};
const LONG = `deep/${'long-name/'.repeat(14)}é.txt`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-git-'));
  repository = join(folder, 'repository');
  mkdirSync(repository);
  git(['init', '-q', '-b', 'main']);
  write('a.txt', 'old\n');
  write('src/empty.ts', '');
  write('src/b.ts', 'x'.repeat(512));
  write(LONG, 'deep');
  write('.env', 'KEY=1');
  write('.ssh/config', 'host');
  write('logs/x.log', 'log');
  write('p.bin', '\x7fELF\x02\x01\0');
  symlinkSync('/etc/passwd', join(repository, 'link'));
  git(['add', '-A']);
  git(['commit', '-qm', 'one']);
  git(['tag', '-am', 'tag', 'v1']);
  write('a.txt', 'new\r\n');
  git(['commit', '-qam', 'two']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const keep: KeepCopy = async (pieces) => {
  const own = mkdtempSync(join(folder, 'copy-'));
  const path = join(own, 'content');
  await writeFile(path, pieces);
  return { path, dispose: () => rm(own, { recursive: true }) };
};
const request = (source: string, more: Partial<GitRequest> = {}): GitRequest => ({
  ...{ source, keep, exclude: [], env: process.env, cwd: repository },
  ...more,
});

async function load(source: string, more: Partial<GitRequest> = {}) {
  const copy = await copyFromGit(request(source, more));
  try {
    const set = await loadContext(copy.annotate(namedFile(copy.path, source, {})));
    if (set.kind !== 'one') throw new Error('expected one context');
    const { value, notes = [] } = set.context;
    const said = notes.map(({ text }) => text);
    if (value.kind !== 'documents') return { text: readFileSync(copy.path, 'utf8'), said };
    return { paths: value.documents.map(({ path }) => path).toSorted(), said, value };
  } finally {
    await copy.dispose();
  }
}

async function textOf(source: string): Promise<string> {
  const copy = await copyFromGit(request(source));
  const text = readFileSync(copy.path, 'utf8');
  await copy.dispose();
  expect(existsSync(copy.path)).toBe(false);
  return text;
}

describe('a revision', () => {
  test('is the list of its files; secrets, binaries and links are left out, and the notes name them', async () => {
    const { paths, said } = await load('git:HEAD~1');
    expect(paths).toEqual(['a.txt', LONG, 'logs/x.log', 'src/b.ts', 'src/empty.ts']);
    expect(said.join('\n')).toContain('git:HEAD~1: left out: 2 secret (.env, config), 1 link (link)');
    expect(said.join('\n')).toContain('1 binary (.bin 1)');
  });

  test('has a folder by its path, also from a folder within, and --exclude', async () => {
    expect((await load('git:v1:src', { cwd: join(repository, 'src') })).paths).toEqual(['b.ts', 'empty.ts']);
    const { paths, said } = await load('git:v1', { exclude: ['*.ts', '/logs'], cwd: join(repository, 'src') });
    expect(paths).toEqual(['a.txt', LONG]);
    expect(said.join('\n')).toContain('3 excluded');
  });

  test('has the bytes of a file as they were', async () => {
    expect(await textOf('git:HEAD:a.txt')).toBe('new\r\n');
    expect(await textOf('git:v1:a.txt')).toBe('old\n');
    expect(await textOf('git:v1:src/empty.ts')).toBe('');
  });

  test('has the content of files of many pieces', async () => {
    const big = 'é'.repeat(300_000);
    const hash = git(['hash-object', '-w', '--stdin'], repository, big);
    const tree = git(['mktree'], repository, `100644 blob ${hash}\tbig.txt\n100644 blob ${hash}\tbigger.txt\n`);
    expect((await load(`git:${tree}`)).paths).toEqual(['big.txt', 'bigger.txt']);
    expect(await textOf(`git:${tree}:big.txt`)).toBe(big);
  });
});

describe('is a clear error', () => {
  test.each([
    ['an unknown revision', 'git:nope', {}, 'no such revision'],
    ['an unknown path', 'git:HEAD:nope.txt', {}, 'no such revision, or no such path'],
    ['an option', 'git:--help', {}, 'name a revision'],
    ['two lines', 'git:HEAD\nHEAD', {}, 'name a revision'],
    ['no revision', 'git:', {}, 'name a revision'],
    ['no repository', 'git:HEAD', { cwd: tmpdir() }, 'does not lie in a git repository'],
    ['no git', 'git:HEAD', { env: { PATH: '/nowhere' } }, 'git is not installed'],
    ['everything left out', 'git:HEAD', { exclude: ['*'] }, 'no file that is wanted; left out'],
  ])('%s', async (_, source, more, says) => {
    await expect(copyFromGit(request(source, more))).rejects.toThrow(says);
  });

  test.each([
    ['bytes in a tree', 'git:v1', { maxBytes: 500 }],
    ['bytes in a file', 'git:v1:src/b.ts', { maxBytes: 511 }],
    ['entries, the secret ones and the links among them', 'git:v1', { maxFiles: 8 }],
  ])('too many %s', async (_, source, bound) => {
    await expect(copyFromGit(request(source, bound))).rejects.toThrow('name a folder in it, git:REV:PATH');
    await expect(
      copyFromGit(request(source, { maxBytes: 1_000, maxFiles: 9 })).then(({ dispose }) => dispose()),
    ).resolves.toBeUndefined();
  });

  test.each(['..', '.', '.GIT'])('a tree that git would not check out: %s', async (name) => {
    const inner = git(['mktree'], repository, `100644 blob ${git(['rev-parse', 'HEAD:a.txt'])}\tx.txt\n`);
    const raw = Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(inner, 'hex')]);
    writeFileSync(join(folder, 'tree'), raw);
    const hash = git(['hash-object', '--literally', '-t', 'tree', '-w', join(folder, 'tree')]);
    const says = name === '.GIT' ? 'no file that is wanted' : 'leads out of its tree';
    await expect(copyFromGit(request(`git:${hash}`))).rejects.toThrow(says);
  });
});

describe('nothing of the repository runs', () => {
  test('no filter, textconv, hook or monitor; a checkout and a diff run them', async () => {
    const [filter, textconv, monitor, hook] = ['filter', 'textconv', 'monitor', 'hook'].map((name) => trap(name));
    write('.gitattributes', '*.txt filter=evil diff=evil\n');
    git(['add', '.gitattributes']);
    git(['commit', '-qm', 'three']);
    git(['config', 'filter.evil.smudge', filter?.program ?? '']);
    git(['config', 'diff.evil.textconv', textconv?.program ?? '']);
    git(['config', 'core.fsmonitor', monitor?.program ?? '']);
    mkdirSync(join(folder, 'hooks'));
    symlinkSync(hook?.program ?? '', join(folder, 'hooks', 'post-checkout'));
    git(['config', 'core.hooksPath', join(folder, 'hooks')]);
    const traps = [filter, textconv, monitor, hook];
    await load('git:HEAD');
    expect(await textOf('git:HEAD:a.txt')).toBe('new\r\n');
    expect(traps.map((one) => one?.sprung())).toEqual([false, false, false, false]);
    rmSync(join(repository, 'a.txt'));
    git(['status']);
    git(['diff', 'HEAD~2', 'HEAD~1', '--', 'a.txt']);
    git(['checkout', '-q', 'HEAD~1', '--', 'a.txt']);
    git(['checkout', '-q', '-B', 'other']);
    expect(traps.map((one) => one?.sprung())).toEqual([true, true, true, true]);
  });

  test('nothing is fetched for a partial clone; git itself runs the program that fetches', async () => {
    const upload = trap('upload', 'exit 1');
    const clone = join(folder, 'clone');
    git(['config', 'uploadpack.allowFilter', 'true']);
    git(['clone', '-q', '--no-checkout', '--filter=blob:none', `file://${repository}`, clone]);
    git(['config', 'remote.origin.uploadpack', upload.program], clone);
    await expect(copyFromGit(request('git:HEAD', { cwd: clone }))).rejects.toThrow('cannot be read');
    await expect(copyFromGit(request('git:HEAD:a.txt', { cwd: clone }))).rejects.toThrow();
    expect(upload.sprung()).toBe(false);
    expect(() => git(['cat-file', '-p', 'HEAD:a.txt'], clone)).toThrow();
    expect(upload.sprung()).toBe(true);
  });
});
