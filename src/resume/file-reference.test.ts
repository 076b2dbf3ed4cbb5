import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReference, findFile, fingerprint } from './file-reference.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-reference-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function referenceOf(path: string): Promise<FileReference> {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return { path, bytes: Number(size), modified: String(mtimeNs), ...(await fingerprint(path, Number(size))) };
}

const failure = (found: Promise<string>): Promise<unknown> =>
  found.then(
    () => 'found',
    (error: unknown) => error,
  );

describe('a small file', () => {
  it('is found at its path, and where resolveFile says', async () => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'content');
    const reference = await referenceOf(path);
    expect(reference.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await findFile(reference, undefined)).toBe(path);
    utimesSync(path, 1, 1);
    expect(await findFile(reference, () => undefined)).toBe(path);
    renameSync(path, join(folder, 'b.txt'));
    expect(await failure(findFile(reference, undefined))).toMatchObject({
      code: 'context-not-found',
      message: expect.stringMatching(
        /context file .*a\.txt: the file .*a\.txt is gone\. Put it back, say where it is now with the option resolveFile/,
      ),
    });
    expect(await findFile(reference, async (file) => file.path.replace('a.txt', 'b.txt'))).toBe(join(folder, 'b.txt'));
  });

  it('that has changed is an error that names it, wherever it was found', async () => {
    const path = join(folder, 'c.txt');
    writeFileSync(path, 'content');
    const reference = await referenceOf(path);
    writeFileSync(path, 'CONTENT');
    expect(await failure(findFile(reference, undefined))).toMatchObject({
      code: 'context-invalid',
      message: expect.stringContaining(`the content of the file ${path} has changed`),
    });
    expect(await failure(findFile(reference, () => path))).toMatchObject({ code: 'context-invalid' });
    writeFileSync(path, 'longer content');
    expect(await failure(findFile(reference, undefined))).toMatchObject({
      message: expect.stringContaining('had 7 bytes and has 14 now'),
    });
  });
});

describe('a file of more than 256 MiB', () => {
  const BYTES = 300_000_000;
  function make(path: string, tail: string): void {
    const file = openSync(path, 'w');
    ftruncateSync(file, BYTES);
    writeSync(file, tail, BYTES - tail.length);
    closeSync(file);
  }

  it('is known by its size, its time and a sample of its content', async () => {
    const path = join(folder, 'large');
    make(path, 'end');
    const reference = await referenceOf(path);
    expect(reference).toMatchObject({ sample: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(reference.sha256).toBeUndefined();
    expect(await findFile(reference, undefined)).toBe(path);
    utimesSync(path, 1, 1);
    expect(await failure(findFile(reference, undefined))).toMatchObject({
      code: 'context-invalid',
      message: expect.stringContaining(`the file ${path} was written to since`),
    });
  });

  it('may be a copy where resolveFile says so, of the same sample', async () => {
    const path = join(folder, 'first');
    make(path, 'end');
    const reference = await referenceOf(path);
    const copy = join(folder, 'copy');
    copyFileSync(path, copy);
    utimesSync(copy, 1, 1);
    rmSync(path);
    expect(await findFile(reference, () => copy)).toBe(copy);
    make(copy, 'END');
    expect(await failure(findFile(reference, () => copy))).toMatchObject({
      message: expect.stringContaining(`the content of the file ${copy} has changed`),
    });
  });
});
