import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ContextRoom, fromFile, fromFiles } from '../context/index.ts';
import { sourceTexts } from './source-texts.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-sources-'));
  writeFileSync(join(folder, 'page.html'), '<!doctype html><title>T</title><p>Quoted words.</p>');
  writeFileSync(join(folder, 'note.txt'), 'a note');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a converted file and one that is read on demand are sources with their text', async () => {
  for (const [file, text] of [
    ['page.html', 'Quoted words.'],
    ['note.txt', 'a note'],
  ] as const) {
    const context = await fromFile(join(folder, file)).load(new ContextRoom(1));
    const [source] = await sourceTexts({ kind: 'one', context });
    expect(source?.names).toEqual(['context', file]);
    expect(await source?.read()).toContain(text);
  }
});

it('files of a list that are converted or read on demand, too', async () => {
  const context = await fromFiles(['page.html', 'note.txt'], { cwd: folder }).load(new ContextRoom(1));
  const sources = await sourceTexts({ kind: 'one', context });
  expect(sources.map(({ names }) => names[0])).toEqual(['note.txt', 'page.html']);
  expect(await Promise.all(sources.map(({ read }) => read()))).toEqual([
    'a note',
    expect.stringContaining('Quoted words.'),
  ]);
});
