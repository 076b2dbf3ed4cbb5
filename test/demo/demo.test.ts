/**
 * The demo on the novels as they are and on altered ones: the answer follows the data, and plain code that shares nothing
 * with the demo says what it must be.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { runDemo } from '../../demo/run.ts';
import { verify } from '../../demo/verify.ts';
import { colorsFor } from '../../src/cli/screen/console.ts';
import { briefNarrator } from '../../src/cli/watch/narrator.ts';

const NOVELS = fileURLToPath(new URL('../../demo/novels', import.meta.url));
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function run(novels: string) {
  const printed: string[] = [];
  const out = { write: (text: string) => printed.push(text) };
  const narrator = briefNarrator({ colors: colorsFor(out, {}), stream: {}, interactive: false });
  const demo = await runDemo({ novels, repl: 'pyodide', out, interactive: false, narrator });
  if (demo.result.answer === undefined) throw new Error(`no answer:\n${printed.join('')}`);
  return { ...demo, printed: printed.join('') };
}

/** The novels with one passage of one of them changed. */
function altered(novel: string, from: string, to: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-novels-'));
  folders.push(folder);
  cpSync(NOVELS, folder, { recursive: true });
  const path = join(folder, novel);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${novel} does not contain "${from}"`);
  writeFileSync(path, text.replace(from, to));
  return folder;
}

test('the novels as they are: Mr. Rushworth, richer than Mr. Darcy', async () => {
  const { result, verified, printed } = await run(NOVELS);
  expect(verified).toBe(true);
  expect(result.answer).toMatchObject({ person: 'Mr. Rushworth', poundsPerYear: 12_000, novel: 'mansfield-park.txt' });
  expect(result.subCalls).toBeGreaterThan(50);
  expect(result.turns).toBe(6);
  expect(result.trajectory.turns[2]?.commands[0]?.subCalls.length).toBe(result.subCalls - 1);
  expect(printed).toContain('Verified.');
});

test('Mr. Rushworth made poor: Mr. Darcy', async () => {
  const { result, verified } = await run(
    altered('mansfield-park.txt', 'not twelve thousand a year', 'not two thousand a year'),
  );
  expect(result.answer).toMatchObject({ person: 'Mr. Darcy', poundsPerYear: 10_000, novel: 'pride-and-prejudice.txt' });
  expect(verified).toBe(true);
});

test('Mr. Knightley made rich: Mr. Knightley', async () => {
  const secret =
    'Mr. Knightley, a sensible man about seven or eight-and-thirty, with an income of five and thirty thousand pounds a year, was';
  const { result, verified } = await run(
    altered('emma.txt', 'Mr. Knightley, a sensible man about seven or eight-and-thirty, was', secret),
  );
  expect(result.answer).toMatchObject({ person: 'Mr. Knightley', poundsPerYear: 35_000, novel: 'emma.txt' });
  expect(verified).toBe(true);
});

test('the check refuses what is not so', () => {
  const right = {
    person: 'Mr. Rushworth',
    poundsPerYear: 12_000,
    novel: 'mansfield-park.txt',
    quote: 'If this man had not twelve thousand a year, he would be a very stupid fellow.',
  };
  const failures = (answer: typeof right) => verify(answer, NOVELS).flatMap(({ ok }, index) => (ok ? [] : [index]));
  expect(failures(right)).toEqual([]);
  expect(failures({ ...right, person: 'Mr. Darcy' })).toEqual([3]);
  expect(failures({ ...right, poundsPerYear: 10_000 })).toEqual([0, 2]);
  expect(failures({ ...right, novel: 'emma.txt' })).toContain(1);
  expect(failures({ ...right, quote: 'He had twelve thousand a year.' })).toContain(1);
});
