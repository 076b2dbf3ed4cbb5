/**
 * Where conversions are kept: a folder each, named by kind and content.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invalidOption, kindOf } from '../argument-checks.ts';
import { cacheFolder } from '../repl/cache-folder.ts';
import { CONVERSION_CACHE_BYTES } from './limits.ts';

const FOLDER = 'conversions';
/** The file of a folder that says how many bytes it takes: it is written last. */
export const CACHE_INDEX = 'conversion.json';
/** Milliseconds after which a conversion that never ended is rubbish of a killed process. */
const ABANDONED_MS = 3_600_000;
/** Milliseconds for which a conversion stays until there is twice as much as the limit: a run may be using it. */
const IN_USE_MS = 600_000;

let onlyForProcess = false;
let cacheBytes = CONVERSION_CACHE_BYTES;
let ownFolder: string | undefined;

/**
 * Sets how many bytes of converted documents and of copies this process leaves in the cache, for all of its runs. The oldest go
 * first, but those used in the last ten minutes stay until there is twice as much. Default 2 GiB.
 *
 * @throws RlmError `invalid-option` for what is not a whole number above 0
 */
export function setCacheBytes(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw invalidOption(`The cache takes a whole number of bytes above 0, not ${kindOf(bytes)}`);
  cacheBytes = bytes;
}

/** From now on this process keeps conversions in a temporary folder of its own, which is deleted when it ends. */
export function keepConversionsForProcess(): void {
  onlyForProcess = true;
}

function folderOfProcess(): string {
  if (ownFolder !== undefined) return ownFolder;
  const folder = mkdtempSync(join(tmpdir(), 'fathom-conversions-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  ownFolder = folder;
  return folder;
}

/** The folder, made if need be: of this user alone. */
export function conversionFolder(): string {
  if (onlyForProcess) return folderOfProcess();
  const folder = join(cacheFolder(), FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

interface CachedConversion {
  readonly path: string;
  readonly usedAt: number;
  readonly bytes: number;
}

/** Drops what was used longest ago until all is within the limit. `newest` stays. */
export function dropOldest(newest: string, now: number = Date.now()): void {
  const folder = conversionFolder();
  const all = readdirSync(folder).flatMap((name) => lookAt(join(folder, name), now));
  all.sort((a, b) => b.usedAt - a.usedAt);
  let bytes = 0;
  for (const one of all) {
    bytes += one.bytes;
    if (one.path === newest) continue;
    const most = now - one.usedAt > IN_USE_MS ? cacheBytes : 2 * cacheBytes;
    if (bytes <= most) continue;
    rmSync(one.path, { recursive: true, force: true });
    bytes -= one.bytes;
  }
}

function lookAt(path: string, now: number): readonly CachedConversion[] {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return [];
  const usedAt = facts.mtimeMs;
  try {
    const { bytes } = JSON.parse(readFileSync(join(path, CACHE_INDEX), 'utf8')) as { readonly bytes: number };
    return [{ path, usedAt, bytes }];
  } catch {
    // Under way, or left by a process that was killed.
    if (now - usedAt > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
    return [];
  }
}

/** Deletes all conversions, and the remains of those that never ended. */
export function clearConversions(): { readonly folder: string; readonly count: number } {
  const folder = conversionFolder();
  const names = readdirSync(folder);
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
  return { folder, count: names.length };
}
