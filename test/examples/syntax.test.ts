/** Examples run on the oldest Node as they are: only types are removed from them, and `await using` is newer. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PATHS = globSync(['README.md', 'docs/*.md', 'examples/*.ts'], { cwd: root });

test.each(PATHS)('%s', (path) => {
  expect(readFileSync(`${root}${path}`, 'utf8')).not.toMatch(/^\s*(await )?using \w+ =/m);
});

test('examples in the comments of the sources', () => {
  const sources = globSync('src/**/*.ts', { cwd: root });
  const found = sources.filter((path) => /^ \*\s*(await )?using \w+ =/m.test(readFileSync(`${root}${path}`, 'utf8')));
  expect(found).toEqual([]);
});
