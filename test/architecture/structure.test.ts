/** How large files may be, how many may be tiny, and how optional fields are written. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { optionalUndefined } from './optional-fields.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Most lines of a file. */
const MOST_LINES = 300;
/** A file with no more lines than this is tiny. */
const TINY_LINES = 20;
/** Most tiny files among the sources of the package, as a share. */
const TINY_SHARE = 0.04;

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const FILES: readonly SourceFile[] = globSync('{src,guest,test,bench,tools,demo,examples}/**/*.{ts,py}', {
  cwd: ROOT,
  exclude: (name) => name === 'node_modules' || name === 'dist',
}).map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }));

const linesOf = ({ text }: SourceFile): number => text.split('\n').length - 1;

/** The package's own sources: tests are split by what they run on, so a file of theirs may be a few lines. */
const OWN = FILES.filter(
  ({ path }) => /^(?:src|guest)\//.test(path) && !/(?:\.test|\.testing|\/testing)\.ts$|^guest\/tests/.test(path),
);

describe('files', () => {
  it(`have at most ${MOST_LINES} lines`, () => {
    expect(FILES.length).toBeGreaterThan(500);
    expect(FILES.filter((file) => linesOf(file) > MOST_LINES).map(({ path }) => path)).toEqual([]);
  });

  it(`have more than ${TINY_LINES} lines, but for ${100 * TINY_SHARE} % of them`, () => {
    const tiny = OWN.filter((file) => linesOf(file) <= TINY_LINES).map(({ path }) => path);
    expect(OWN.length).toBeGreaterThan(300);
    expect(tiny.slice(Math.floor(TINY_SHARE * OWN.length))).toEqual([]);
  });
});

describe('an optional field', () => {
  it.each([
    ['readonly a?: string | undefined;', 1],
    ['readonly a?: undefined | string;', 1],
    ['a?:\n  | string\n  | undefined;', 1],
    ['function f(a?: Map<string, number> | undefined, b?: () => void) {}', 1],
    ['readonly a: string | undefined;', 0],
    ['readonly a?: { readonly b: string | undefined };', 0],
    ['readonly a?: (b: string | undefined) => number;', 0],
    ['function f(a?: string): string | undefined {}', 0],
    ['type A = { readonly a?: string } | undefined;', 0],
  ])('%j', (text, count) => {
    expect(optionalUndefined(text)).toHaveLength(count);
  });

  it('is absent or has a value: `field?: T`, never `field?: T | undefined`', () => {
    const found = FILES.filter(({ path }) => path.endsWith('.ts') && !path.endsWith('structure.test.ts')).flatMap(
      ({ path, text }) => optionalUndefined(text).map((type) => `${path}: ?: ${type}`),
    );
    expect(found).toEqual([]);
  });
});
