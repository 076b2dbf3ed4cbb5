/** The documents on security name the test of each promise: every name is a file that exists. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Each document, and the folder of the tests that it names without one. */
const DOCUMENTS: readonly (readonly [document: string, folder: string])[] = [
  ['SECURITY.md', ''],
  ...globSync('docs/isolation-*.md', { cwd: ROOT })
    .sort()
    .map((path) => [path, `src/repl/${basename(path, '.md').replace('isolation-', '')}`] as const),
];

/** The names of tests in a text. A bare file name is in the folder of the path before it on its line, or in `home`. */
function namedTests(text: string, home: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    let folder = home;
    return [...line.matchAll(/`([\w./*{},-]+(?:\.ts|\/))`/g)]
      .map(([, name = '']) => {
        if (!name.includes('/')) return folder === '' ? name : `${folder}/${name}`;
        folder = name.endsWith('/') ? name.slice(0, -1) : dirname(name);
        return name;
      })
      .filter((name) => /\.test\.ts$|\.testing\.ts$|^test\//.test(name));
  });
}

const exists = (name: string): boolean =>
  name.includes('*') ? globSync(name, { cwd: ROOT }).length > 0 : existsSync(`${ROOT}${name}`);

describe('tests that the documents name', () => {
  it('are found, bare names beside a path too', () => {
    expect(
      namedTests('| a | `test/a/b.test.ts`, `c.test.ts`, `src/d/*.test.ts`, `test/e/` | `src/f.ts` |', ''),
    ).toEqual([...['test/a/b.test.ts', 'test/a/c.test.ts', 'src/d/*.test.ts', 'test/e/']]);
  });

  it.each(DOCUMENTS)('%s: exist', (document, folder) => {
    const names = namedTests(readFileSync(`${ROOT}${document}`, 'utf8'), folder);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !exists(name))).toEqual([]);
  });
});
