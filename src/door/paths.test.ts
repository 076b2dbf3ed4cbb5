import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, open, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadContext } from '../context/load.ts';
import { packDocuments } from '../repl/channel/packed-documents.ts';
import { readAsUtf8 } from '../repl/python/read-as-utf8.ts';
import { type ReadableFolders, readableFolders, readablePaths } from './paths.ts';

let base: string;
let root: string;
let folders: ReadableFolders;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'fathom-paths-')));
  root = join(base, 'root');
  for (const folder of ['.git', '.fathom', '.ssh', 'sub/.git', 'store', 'plain']) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, 'inner.txt'), 'inner');
  }
  await mkdir(join(base, 'root-beside'));
  for (const [path, text] of [
    ...[['root/a.txt', 'alpha'] as const, ['root/sub/b.md', 'beta'] as const, ['outside.txt', 'secret'] as const],
    ...[['root-beside/c.txt', 'secret'] as const, ['root/.env', 'K=1'] as const, ['root/id_rsa', 'k'] as const],
    ['root/.env.example', 'K='] as const,
  ]) {
    await writeFile(join(base, path), text);
  }
  for (const [path, target] of [
    ...[['out', '../outside.txt'] as const, ['up', '..'] as const, ['in', 'a.txt'] as const],
    ...[['key.txt', '.env'] as const, ['config', '.git/inner.txt'] as const, ['zero', '/dev/zero'] as const],
  ]) {
    await symlink(target, join(root, path));
  }
  folders = await readableFolders({ folders: [root], except: [join(root, 'store')] });
});

afterAll(() => rm(base, { recursive: true, force: true }));

async function load(...paths: readonly string[]): Promise<unknown> {
  const set = await loadContext(readablePaths(paths, folders));
  if (set.kind !== 'one') throw new Error('one context');
  const { value } = set.context;
  return value.kind === 'documents' ? value.documents.map(({ path }) => path) : value;
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'context-invalid', message: expect.stringMatching(message) });

describe('paths of a client', () => {
  it('are read below the folder: a file as text, a folder and a pattern as documents', async () => {
    expect(await load('a.txt')).toMatchObject({
      kind: 'file',
      path: join(root, 'a.txt'),
      identity: expect.stringMatching(/^\d+:\d+$/),
    });
    expect(await load(join(root, 'a.txt'))).toMatchObject({ kind: 'file' });
    expect(await load('in')).toMatchObject({ kind: 'file' });
    expect(await load('sub')).toEqual(['sub/b.md']);
    expect(await load('*.txt', 'sub')).toEqual(['a.txt', 'sub/b.md']);
    expect(await load('.env.example')).toMatchObject({ kind: 'file' });
    expect(await load('sub/../a.txt')).toMatchObject({ kind: 'file' });
  });

  it('that are URLs are not fetched: only the owner of a library or a command can ask for that', async () => {
    let connections = 0;
    const server = createServer(() => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { readonly port: number };
    for (const url of [`http://127.0.0.1:${port}/a.txt`, 'https://example.com/a.txt'])
      await expect(load(url)).rejects.toMatchObject({
        message: expect.stringContaining('it is a URL, which is fetched only'),
      });
    expect(connections).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });

  it.each([
    ['a path outside', '/etc/passwd', /outside of the folders that may be read/],
    ['a path that is not there, outside', '/etc/no-such-file', /outside of the folders that may be read/],
    ['a path above', '../outside.txt', /outside/],
    ['a folder whose name begins alike', '../root-beside/c.txt', /outside/],
    ['a pattern above', '../*.txt', /outside/],
    ['a pattern that climbs', 'sub/**/../../../*.txt', /outside/],
    ['a link to a file outside', 'out', /leads out of/],
    ['a path through a link', 'up/outside.txt', /leads out of/],
    ['a folder behind a link', 'up', /leads out of/],
    ['a pattern behind a link', 'up/*.txt', /leads out of/],
    ['a device behind a link', 'zero', /leads out of/],
    ['version control', '.git/inner.txt', /belongs to version control/],
    ['a folder of version control', '.git', /belongs to version control/],
    ['version control further in', 'sub/.git/inner.txt', /belongs to version control/],
    ['version control in capitals', '.GIT/inner.txt', /belongs to version control/],
    ['version control behind a link', 'config', /belongs to version control/],
    ["Fathom's own files", '.fathom/inner.txt', /belongs to version control or to Fathom/],
    ['the store', 'store/inner.txt', /belongs to Fathom's store/],
    ['a file of keys', '.env', /usually hold keys/],
    ['a file of keys behind a link', 'key.txt', /usually hold keys/],
    ['a private key', 'id_rsa', /usually hold keys/],
    ['a folder of keys', '.ssh/inner.txt', /usually hold keys/],
  ])('%s is refused', async (_, path, message) => {
    await expect(load(path)).rejects.toThrow(refusal(message));
    await expect(load(path, 'a.txt')).rejects.toThrow(refusal(message));
  });

  it('are refused by their names, and read without that rule', async () => {
    // The control: the same files are read where nothing forbids them.
    const open = await readableFolders({ folders: [root, join(root, '.git'), base] });
    const paths = [join(root, '.git', 'inner.txt'), join(base, 'outside.txt'), join(root, 'up', 'outside.txt')];
    for (const path of paths) expect((await loadContext(readablePaths([path], open))).kind).toBe('one');
  });

  it('leave keys, version control and links out of a folder', async () => {
    expect(await load('.')).toEqual(['.env.example', 'a.txt', 'plain/inner.txt', 'sub/b.md']);
  });

  it('are refused as URLs, and with characters that no path has', async () => {
    await expect(load('https://example.com/x')).rejects.toThrow(/it is a URL/);
    await expect(load('a\0b')).rejects.toThrow(expect.objectContaining({ code: 'context-invalid' }));
    await expect(load('')).rejects.toThrow(expect.objectContaining({ code: 'context-invalid' }));
    await expect(load('missing.txt')).rejects.toThrow(expect.objectContaining({ code: 'context-not-found' }));
  });

  it.skipIf(process.platform === 'win32')('that are pipes or sockets are refused at once', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((listening) => server.once('listening', listening));
    for (const name of ['pipe', 'socket']) {
      await expect(load(name)).rejects.toThrow(refusal(/not a regular file/));
      await rm(join(root, name));
    }
    server.close();
  });

  it.skipIf(!existsSync('/proc/self/environ'))('of the kernel are refused, whatever the folder is', async () => {
    const everything = await readableFolders({ folders: ['/'] });
    for (const path of ['/proc/self/environ', '/proc/self/fd/0', '/sys/kernel/notes', '/dev/zero']) {
      await expect(loadContext(readablePaths([path], everything)), path).rejects.toThrow(refusal(/to the kernel/));
    }
  });
});

describe('a path that changes after its check', () => {
  it('is refused when a folder of it becomes a link before the file is opened', async () => {
    const folder = join(root, 'swap');
    await mkdir(folder);
    await writeFile(join(folder, 'c.txt'), 'gamma');
    await writeFile(join(base, 'root-beside', 'c.txt'), 'secret');
    const swapping: ReadableFolders = {
      ...folders,
      checkPath: async (path) => {
        await folders.checkPath(path);
        if (existsSync(join(root, 'swap-before'))) return;
        renameSync(folder, join(root, 'swap-before'));
        symlinkSync(join(base, 'root-beside'), folder);
      },
    };
    await expect(loadContext(readablePaths(['swap/c.txt'], swapping))).rejects.toThrow(refusal(/leads out of/));
  });

  it('is refused when another file takes its place before a REPL opens it', async () => {
    const path = join(root, 'late.txt');
    await writeFile(path, 'delta');
    const { value } = (await loadContext(readablePaths(['late.txt'], folders)).then((set) => {
      if (set.kind !== 'one' || set.context.value.kind !== 'file') throw new Error('one file');
      return { value: set.context.value };
    })) as { value: Parameters<typeof readAsUtf8>[0] };
    expect((await readAsUtf8(value)).toString()).toBe('delta');
    await writeFile(join(base, 'other.txt'), 'other');
    await rm(path);
    await symlink(join(base, 'other.txt'), path);
    await expect(readAsUtf8(value)).rejects.toThrow(/another file has taken its place/);
    const packed = packDocuments([{ path: 'late.txt', content: value }]);
    await expect(packed.next()).rejects.toThrow(/another file has taken its place/);
    // The control: without its identity the other file is read.
    const { identity: _, ...unchecked } = value;
    expect((await readAsUtf8(unchecked)).toString()).toBe('other');
  });

  it('is recognised by the open file, not by its path', async () => {
    await using file = await open(join(base, 'outside.txt'));
    expect(() => folders.checkOpen({ fd: file.fd, path: join(root, 'a.txt') })).toThrow(
      refusal(/leads out of|changed while it was opened/),
    );
  });
});

describe('folders that may be read', () => {
  it('have to be folders', async () => {
    for (const wrong of [[], [join(root, 'a.txt')], [join(root, 'missing')]]) {
      await expect(readableFolders({ folders: wrong })).rejects.toThrow(
        expect.objectContaining({ code: 'invalid-option' }),
      );
    }
  });

  it('may be links themselves', async () => {
    await symlink(root, join(base, 'link-to-root'));
    const linked = await readableFolders({ folders: [join(base, 'link-to-root')] });
    for (const path of [join(base, 'link-to-root', 'a.txt'), join(root, 'a.txt'), 'a.txt']) {
      expect((await loadContext(readablePaths([path], linked))).kind).toBe('one');
    }
  });
});
