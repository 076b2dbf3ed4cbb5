/** Small files read at once: the same facts as by the long way, or none. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTimeSlices } from '../time-slices.ts';
import { examine } from './examine-file.ts';
import { fromFiles, loadContext } from './index.ts';
import { examinePlain } from './plain-files.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-plain-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test.each([
  ['ASCII', 'plain words\n'],
  ['UTF-8', 'München, 東京, 🐍\n'],
  ['nothing', ''],
  ['blanks', ' \n\n'],
  ['colours of a terminal', '\u001b[31mred\u001b[0m\n'],
  ['an ambiguous beginning of a text', 'GIF8 is how pictures begin'],
  ['as much as is looked at', 'x'.repeat(65_536)],
])('%s has the facts of the long way', async (name, content) => {
  const path = await file(`same ${name}`, content);
  const plain = examinePlain(path);
  expect(plain).toBeDefined();
  expect(plain).toEqual(await examine(path, {}));
});

test.each([
  ['a byte-order mark', '\ufeffmarked'],
  ['Latin-1', Buffer.from('caf\xe9', 'latin1')],
  ['UTF-16 without a mark', Buffer.from('two bytes a character', 'utf16le')],
  ['ISO-2022-JP', Buffer.from('\u001b$B%F%9%H\u001b(B', 'latin1')],
  ['NULs', 'a\0b'],
  ['a PDF', '%PDF-1.4 text'],
  ['control characters', '\u0001\u0002\u0003\u0004'],
  ['a cut character', Buffer.from([0x61, 0xc3])],
  ['more than is looked at', 'x'.repeat(65_537)],
])('%s goes the long way', async (name, content) => {
  expect(examinePlain(await file(`other ${name}`, content))).toBeUndefined();
});

test('everything but a readable file goes the long way, and a pipe does not block it', async () => {
  await mkdir(join(folder, 'sub'));
  expect(examinePlain(join(folder, 'sub'))).toBeUndefined();
  expect(examinePlain(join(folder, 'missing'))).toBeUndefined();
  if (process.platform === 'win32') return;
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  expect(examinePlain(join(folder, 'pipe'))).toBeUndefined();
});

test('the event loop has its turns meanwhile', async () => {
  const giveWay = createTimeSlices();
  let turns = 0;
  const count = (): void => {
    turns += 1;
    turn = setImmediate(count);
  };
  let turn = setImmediate(count);
  const end = performance.now() + 10_000;
  while (turns <= 3 && performance.now() < end) await giveWay();
  clearImmediate(turn);
  expect(turns).toBeGreaterThan(3);
});

test('a folder of 3 000 files costs a small multiple of reading them', async () => {
  const many = join(folder, 'many');
  await mkdir(many);
  for (let index = 0; index < 3_000; index += 1)
    await writeFile(join(many, `${index}.txt`), `words ${index}\n`.repeat(40));
  const load = async (): Promise<number> => {
    const before = process.cpuUsage();
    const set = await loadContext(fromFiles(many));
    const { user, system } = process.cpuUsage(before);
    expect(set.kind === 'one' && set.context.size).toBe(3_000);
    return user + system;
  };
  const long = async (): Promise<number> => {
    const before = process.cpuUsage();
    for (let index = 0; index < 3_000; index += 1) await examine(join(many, `${index}.txt`), {});
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  await load();
  await long();
  // It was as much as the long way and the walk together.
  expect(await load()).toBeLessThan(0.75 * (await long()));
});
