import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type ContextSource, fromFile } from '../../src/index.ts';

/** Two texts and a page in a folder of their own, for the tests of a file. */
export function useSeedFiles(): { readonly folder: string; readonly file: (name: string) => ContextSource } {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fathom-seeds-'));
    await writeFile(join(folder, 'a.txt'), 'alpha');
    await writeFile(join(folder, 'b.txt'), 'beta beta');
    await writeFile(join(folder, 'p.html'), '<!doctype html><title>T</title><p>page</p>');
  });
  afterAll(() => rm(folder, { recursive: true }));
  return {
    get folder() {
      return folder;
    },
    file: (name) => fromFile(join(folder, name)),
  };
}
