/** What users copy runs on the oldest Node as it is: only types are removed from it, and `await using` is newer. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = (folder: string, ending: string): readonly string[] =>
  readdirSync(`${root}${folder}`).flatMap((name) => (name.endsWith(ending) ? [`${folder}/${name}`] : []));

test.each(['README.md', ...files('docs', '.md'), ...files('examples', '.ts')])('%s', (path) => {
  expect(readFileSync(`${root}${path}`, 'utf8')).not.toMatch(/^\s*(await )?using \w+ =/m);
});
