import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCacheFolder } from './cache-folder.ts';

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fathom-cache-'));
  folder = join(base, 'cache', 'fathom-rlm');
});
afterEach(() => rmSync(base, { recursive: true }));

function made(mode: number): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(join(base, 'cache'), 0o755);
  chmodSync(folder, mode);
}

describe.skipIf(process.platform === 'win32')('the cache folder', () => {
  it('is made for this user alone, also when another user asks first', () => {
    expect(findCacheFolder(folder)).toEqual({ path: folder });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(base, 'cache')).mode & 0o777).toBe(0o700);
  });

  it.each([0o755, 0o750, 0o711, 0o775])('of our own with mode %o is brought to 0700 and used', (mode) => {
    made(mode);
    writeFileSync(join(folder, 'base.bin'), '');
    expect(findCacheFolder(folder)).toEqual({ path: folder });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('in which others may have put something is not used, and its mode stays', () => {
    made(0o777);
    expect(findCacheFolder(folder).refused).toContain('can be written by every user');
    expect(statSync(folder).mode & 0o777).toBe(0o777);
    chmodSync(folder, 0o775);
    writeFileSync(join(base, 'other'), '');
    linkSync(join(base, 'other'), join(folder, 'base.bin'));
    expect(findCacheFolder(folder).refused).toContain('holds files of other users');
    rmSync(join(folder, 'base.bin'));
    mkdirSync(join(folder, 'python'));
    symlinkSync(join(base, 'other'), join(folder, 'python', 'module'));
    expect(findCacheFolder(folder).refused).toContain('holds files of other users');
    rmSync(join(folder, 'python'), { recursive: true });
    expect(findCacheFolder(folder)).toEqual({ path: folder });
  });

  it('that could be replaced is not used: a folder above it can be written by others, unless it is sticky', () => {
    made(0o700);
    for (const mode of [0o777, 0o775, 0o757]) {
      chmodSync(join(base, 'cache'), mode);
      expect(findCacheFolder(folder)).toMatchObject({ refused: expect.stringContaining('can be written by others') });
    }
    chmodSync(join(base, 'cache'), 0o1777);
    expect(findCacheFolder(folder)).toEqual({ path: folder });
  });

  it('may be reached by links of our own, but is not a link itself', () => {
    made(0o700);
    symlinkSync(join(base, 'cache'), join(base, 'linked'));
    expect(findCacheFolder(join(base, 'linked', 'fathom-rlm')).refused).toBeUndefined();
    symlinkSync(folder, join(base, 'cache', 'link'));
    expect(findCacheFolder(join(base, 'cache', 'link')).refused).toContain('is a link');
    chmodSync(join(base, 'cache'), 0o777);
    expect(findCacheFolder(join(base, 'linked', 'fathom-rlm')).refused).toContain('can be written by others');
  });

  it('that is refused is replaced by a private one that goes with the process', () => {
    const { path, refused } = findCacheFolder('relative/folder');
    expect(refused).toContain('absolute');
    expect(statSync(path).mode & 0o777).toBe(0o700);
    writeFileSync(join(base, 'plain'), '');
    expect(findCacheFolder(join(base, 'plain', 'below'))).toEqual({
      path,
      refused: expect.stringContaining('cannot be made'),
    });
  });

  it.runIf(isRoot)('of root is refused below a folder of another user, as sudo with HOME kept has it', () => {
    made(0o700);
    chownSync(join(base, 'cache'), NOBODY, NOBODY);
    expect(findCacheFolder(folder).refused).toContain(`belongs to user ${NOBODY}`);
    chownSync(join(base, 'cache'), 0, 0);
    chownSync(folder, NOBODY, NOBODY);
    expect(findCacheFolder(folder).refused).toContain(`belongs to user ${NOBODY}`);
    chownSync(folder, 0, 0);
    expect(findCacheFolder(folder).refused).toBeUndefined();
  });

  it.runIf(isRoot)('of an unprivileged user may lie below folders of root, and not below those of a third user', () => {
    chmodSync(base, 0o755);
    made(0o755);
    chownSync(folder, NOBODY, NOBODY);
    expect(asNobody()).toEqual({ path: folder });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    chownSync(join(base, 'cache'), NOBODY - 1, NOBODY - 1);
    expect(asNobody()).toMatchObject({ refused: expect.stringContaining(`belongs to user ${NOBODY - 1}`) });
  });
});

function asNobody(): unknown {
  const module = new URL('./cache-folder.ts', import.meta.url).href;
  const code = `import { findCacheFolder } from ${JSON.stringify(module)};
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    console.log(JSON.stringify(findCacheFolder(${JSON.stringify(folder)})));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  return stdout === '' ? stderr : JSON.parse(stdout);
}
