/** The exports of the package, by name: a change here is a change of the contract. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as aiSdk from '../../src/ai-sdk/index.ts';
import * as cluster from '../../src/cluster/index.ts';
import * as compact from '../../src/compact/index.ts';
import * as guard from '../../src/guard/index.ts';
import * as index from '../../src/index.ts';
import * as rules from '../../src/policy/index.ts';
import * as postgres from '../../src/store/postgres/index.ts';
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

/** Each entry with its source, one line each. */
const ENTRIES = [
  ['fathom-rlm', '../../src/index.ts', index],
  ['fathom-rlm/ai-sdk', '../../src/ai-sdk/index.ts', aiSdk],
  ['fathom-rlm/cluster', '../../src/cluster/index.ts', cluster],
  ['fathom-rlm/compact', '../../src/compact/index.ts', compact],
  ['fathom-rlm/guard', '../../src/guard/index.ts', guard],
  ['fathom-rlm/policy', '../../src/policy/index.ts', rules],
  ['fathom-rlm/postgres', '../../src/store/postgres/index.ts', postgres],
  ['fathom-rlm/test', '../../src/test.ts', doubles],
] as const;

test('the exports of each entry', async () => {
  const sections = ENTRIES.flatMap(([name, source]) => [`# ${name}`, ...exportsOf(source), '']);
  await expect(sections.join('\n')).toMatchFileSnapshot('public-api.txt');
});

test.each(ENTRIES)('every value of %s that is listed is there, and nothing else', (_, source, values) => {
  const listed = exportsOf(source).filter((name) => !name.startsWith('type '));
  expect(Object.keys(values).sort()).toEqual(listed);
});
