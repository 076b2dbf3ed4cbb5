/** docs/architecture.md names files and folders that are there, and leaves no folder out. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(`${ROOT}docs/architecture.md`, 'utf8');
const isThere = (path: string): boolean => [`${ROOT}src/${path}`, `${ROOT}${path}`].some((full) => existsSync(full));

/** `name` in `file`, as the page writes it. */
const NAMED = [...PAGE.matchAll(/`(\w+)`(?: \(| in )`([\w/-]+\.ts)`/g)].map(([, name = '', file = '']) => ({
  name,
  file,
}));

it('names files and folders that exist', () => {
  const paths = [...PAGE.matchAll(/`([\w-]+(?:\/[\w-]+)*(?:\.ts|\/))`/g)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(60);
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
});

it.each(NAMED)('$name is in $file', ({ name, file }) => {
  expect(readFileSync(`${ROOT}src/${file}`, 'utf8')).toMatch(
    new RegExp(`(?:function|class|interface|const|type) ${name}\\b`),
  );
});

it('names what it places: ten functions and types at least', () => {
  expect(NAMED.length).toBeGreaterThanOrEqual(10);
});

it('and CONTRIBUTING.md name every folder of src/', () => {
  const text = PAGE + readFileSync(`${ROOT}CONTRIBUTING.md`, 'utf8');
  const folders = globSync('src/*/', { cwd: ROOT }).map((path) => path.replace(/^src\/|\/$/g, ''));
  expect(folders.length).toBeGreaterThan(30);
  expect(folders.filter((folder) => !text.includes(`${folder}/`))).toEqual([]);
});
