/** Kinds of files as contexts: what the model sees, and what a cell finds. `docs/contexts.md` has the table. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromFile, fromFiles } from '../../src/index.ts';
import type { ScriptedRequest } from '../../src/test.ts';
import { play } from '../engine/harness.ts';
import type { Kind } from './kind.ts';
import { ARCHIVES, BINARIES } from './kinds-of-binaries.ts';
import { OFFICE } from './kinds-of-offices.ts';
import { TEXTS } from './kinds-of-texts.ts';

let folder = '';
const cache = process.env.FATHOM_CACHE_DIR;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-kinds-'));
  process.env.FATHOM_CACHE_DIR = join(folder, 'cache');
  execFileSync('python3', [fileURLToPath(new URL('make_files.py', import.meta.url)), folder]);
});
afterAll(() => {
  if (cache === undefined) delete process.env.FATHOM_CACHE_DIR;
  else process.env.FATHOM_CACHE_DIR = cache;
  rmSync(folder, { recursive: true, force: true });
});

const KINDS: readonly Kind[] = [...OFFICE, ...BINARIES, ...TEXTS];

/** The values of expressions over a context, by a run whose cells print them. */
async function look(context: ReturnType<typeof fromFile>, expressions: readonly string[]) {
  let message = '';
  const code = `import json\nFINAL(json.dumps([${expressions.map((one) => `(${one})`).join(',\n')}]))`;
  const root = ({ prompt, callIndex }: ScriptedRequest): string => {
    if (callIndex > 0) throw new Error(prompt);
    message = prompt;
    return `\`\`\`repl\n${code}\n\`\`\``;
  };
  const { result } = await play({ context, root });
  return { values: JSON.parse(result.text) as readonly unknown[], message };
}

// The first test starts the backend, which the embedded one builds in an empty cache.
const TIMEOUT = 120_000;

describe.each(KINDS)('$name', { timeout: TIMEOUT }, ({ name, make, shown, values }) => {
  test('alone it is its text with attributes', async () => {
    const path = join(folder, name);
    if (make !== undefined) writeFileSync(path, await make());
    const seen = await look(fromFile(path), Object.keys(values));
    expect(seen.values).toEqual(Object.values(values));
    for (const part of shown) expect(seen.message).toContain(part);
  });

  test('beside others it is a document with the same attributes, converted when it is used', async () => {
    const other = join(folder, 'other.txt');
    writeFileSync(other, 'other');
    if (make !== undefined) writeFileSync(join(folder, name), await make());
    const expressions = Object.keys(values).filter((one) => !/isinstance|open\(|_query|findall/.test(one));
    const inList = expressions.map((one) => one.replaceAll('context', `context["${name}"]`));
    const seen = await look(fromFiles([name, 'other.txt'], { cwd: folder }), [...inList, 'context["other.txt"].text']);
    expect(seen.values).toEqual([...expressions.map((one) => values[one]), 'other']);
  });
});

describe.each(ARCHIVES)('$name', ({ name, make, shown, values }) => {
  test('alone it is the documents in it', async () => {
    const path = join(folder, name);
    if (make !== undefined) writeFileSync(path, await make());
    const seen = await look(fromFile(path), Object.keys(values));
    expect(seen.values).toEqual(Object.values(values));
    for (const part of shown) expect(seen.message).toContain(part);
  });

  test('beside others it is a document with documents', async () => {
    writeFileSync(join(folder, 'other.txt'), 'other');
    const paths = 'context.keys()';
    const expression = `context["${name}"].documents.keys()`;
    const seen = await look(fromFiles([name, 'other.txt'], { cwd: folder }), [expression, paths]);
    expect(seen.values).toEqual([values[paths], [name, 'other.txt'].sort()]);
  });
});
