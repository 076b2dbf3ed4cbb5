/** The walk of a large folder. 50 000 files take 0.3 to 0.6 s of processor time, and 1.4 s with a look at each of them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFiles } from './find-files.ts';
import { LeftOut } from './left-out.ts';

const FOLDERS = 100;
const EACH = 50;
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'fathom-many-'));
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const path = join(root, `d${folder % 10}`, `e${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < EACH; file += 1) writeFileSync(join(path, `f${file}.txt`), 'x');
  }
  writeFileSync(join(root, '.gitignore'), '*.log\nbuild/\n');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const list = () => {
  const leftOut = new LeftOut();
  const found = findFiles({ root, wants: () => true, exclude: [], cwd: root, ignoreFiles: true, leftOut });
  return found.then((files) => ({ files: files.length, left: leftOut.total }));
};

async function entries(folder: string): Promise<number> {
  let count = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }))
    count += entry.isDirectory() ? await entries(join(folder, entry.name)) : 1;
  return count;
}

/** Milliseconds of processor time, the least of three runs. */
async function cpuOf(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  return Math.min(...times);
}

test('a folder of many files is listed for a small multiple of what reading its folders costs', async () => {
  expect(await list()).toEqual({ files: FOLDERS * EACH + 1, left: 0 });
  const floor = await cpuOf(() => entries(root));
  expect(await cpuOf(list)).toBeLessThan(Math.max(25 * floor, 100));
});

test('loops of links end, also through each other, and each file is listed once', async () => {
  symlinkSync('..', join(root, 'd0', 'up'));
  symlinkSync('../d2', join(root, 'd1', 'two'));
  symlinkSync('../d1', join(root, 'd2', 'one'));
  symlinkSync('self', join(root, 'self'));
  const { files, left } = await list();
  expect({ files, left }).toEqual({ files: FOLDERS * EACH + 1, left: 1 });
});
