/** The exports of the package, by name: a change here is a change of the contract. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as aiSdk from '../../src/ai-sdk/index.ts';
import * as compact from '../../src/compact/index.ts';
import * as index from '../../src/index.ts';
import * as doubles from '../../src/test.ts';

/** Names of an `export { … } from` list; types are marked as such there or with `type` before the name. */
function exportsOf(path: string): readonly string[] {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const names: string[] = [];
  for (const [, allTypes, list = ''] of text.matchAll(/export (type )?\{([^}]*)\}/g)) {
    for (const item of list
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')) {
      const type = allTypes !== undefined || item.startsWith('type ');
      names.push(`${type ? 'type ' : ''}${item.replace(/^type /, '').replace(/^.* as /, '')}`);
    }
  }
  return names.sort();
}

test('the exports of each entry', async () => {
  const main = exportsOf('../../src/index.ts');
  const model = exportsOf('../../src/ai-sdk/index.ts');
  const compaction = exportsOf('../../src/compact/index.ts');
  const testing = exportsOf('../../src/test.ts');
  const sections = [
    ...['# fathom-rlm', ...main, ''],
    ...['# fathom-rlm/ai-sdk', ...model, ''],
    ...['# fathom-rlm/compact', ...compaction, ''],
    ...['# fathom-rlm/test', ...testing, ''],
  ];
  await expect(sections.join('\n')).toMatchFileSnapshot('public-api.txt');
});

test('every value that is listed is there, and nothing else', () => {
  const values = (path: string): readonly string[] => exportsOf(path).filter((name) => !name.startsWith('type '));
  expect(Object.keys(index).sort()).toEqual(values('../../src/index.ts'));
  expect(Object.keys(aiSdk).sort()).toEqual(values('../../src/ai-sdk/index.ts'));
  expect(Object.keys(compact).sort()).toEqual(values('../../src/compact/index.ts'));
  expect(Object.keys(doubles).sort()).toEqual(values('../../src/test.ts'));
});
