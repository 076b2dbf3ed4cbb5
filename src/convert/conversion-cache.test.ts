import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fromFiles } from '../context/from-files.ts';
import { loadContext } from '../context/load.ts';
import { CACHE_INDEX, conversionFolder, dropOldest, setCacheBytes } from './conversion-cache.ts';
import { CONVERSION_CACHE_BYTES } from './limits.ts';

const MINUTE = 60_000;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cache-'));
  vi.stubEnv('FATHOM_CACHE_DIR', join(folder, 'cache'));
});
afterEach(() => {
  setCacheBytes(CONVERSION_CACHE_BYTES);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const now = Date.now();
/** A conversion of so many bytes that was used so many minutes ago. */
function kept(name: string, bytes: number, minutes: number): string {
  const path = join(conversionFolder(), name);
  mkdirSync(path);
  writeFileSync(join(path, CACHE_INDEX), JSON.stringify({ bytes }));
  const used = new Date(now - minutes * MINUTE);
  utimesSync(path, used, used);
  return path;
}
const names = (): readonly string[] => readdirSync(conversionFolder()).toSorted();

describe('the cache', () => {
  test('drops what was used longest ago, until all is within its bytes', () => {
    setCacheBytes(100);
    for (const [index, minutes] of [60, 50, 40, 30].entries()) kept(`c${index}`, 40, minutes);
    dropOldest('', now);
    expect(names()).toEqual(['c2', 'c3']);
  });

  test('keeps those in use until there is twice as much, and the newest whatever its size', () => {
    setCacheBytes(100);
    for (const [index, minutes] of [5, 4, 3, 2, 1].entries()) kept(`c${index}`, 50, minutes);
    dropOldest('', now);
    expect(names()).toEqual(['c1', 'c2', 'c3', 'c4']);
    const newest = kept('large', 500, 0);
    dropOldest(newest, now);
    expect(names()).toEqual(['large']);
  });

  test('a small one stays where only a large older one is too much', () => {
    setCacheBytes(100);
    kept('large', 90, 50);
    kept('small', 5, 60);
    kept('new', 20, 30);
    dropOldest('', now);
    expect(names()).toEqual(['new', 'small']);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('takes no limit of %s', (bytes) => {
    expect(() => setCacheBytes(bytes)).toThrow('whole number of bytes above 0');
  });

  test('is never far above its limit while many documents are converted, and a document that it dropped is converted again', async () => {
    const page = (index: number): string => `<!doctype html><title>${index}</title><p>${`${index} `.repeat(2_000)}</p>`;
    const files = Array.from({ length: 6 }, (_, index) => `${index}.html.gz`);
    const { gzipSync } = await import('node:zlib');
    for (const [index, name] of files.entries()) writeFileSync(join(folder, name), gzipSync(page(index)));
    setCacheBytes(10_000);
    const set = await loadContext(fromFiles(files, { cwd: folder }));
    if (set.kind !== 'one' || set.context.projection?.shape !== 'mapping') throw new Error('expected documents');
    const { get } = set.context.projection;
    for (const index of files.keys()) expect(await get(`${index} text 0`)).toMatchObject({ text: expect.any(String) });
    // Each has four thousand bytes.
    expect(names().length).toBeLessThan(6);
    for (const index of files.keys()) {
      const { text } = (await get(`${index} text 0`)) as { readonly text: string };
      expect(text).toContain(`<p>${index} ${index}`);
    }
  });
});
