/**
 * Where conversions are kept: a folder each, named by kind and content.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../repl/cache-folder.ts';
import { CONVERSION_CACHE_BYTES } from './limits.ts';

const FOLDER = 'conversions';
/** Milliseconds after which a conversion that never ended is rubbish of a killed process. */
const ABANDONED_MS = 3_600_000;
/** Milliseconds for which a conversion stays whatever its size: a run may be using it. */
const IN_USE_MS = 600_000;

let onlyForProcess = false;
let ownFolder: string | undefined;

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

/** Drops what was used longest ago until all is within `most` bytes. `newest` stays. */
export function dropOldest(newest: string, most: number = CONVERSION_CACHE_BYTES, now: number = Date.now()): void {
  const folder = conversionFolder();
  const all = readdirSync(folder).flatMap((name) => lookAt(join(folder, name), now));
  all.sort((a, b) => b.usedAt - a.usedAt);
  let bytes = 0;
  for (const one of all) {
    bytes += one.bytes;
    if (bytes > most && one.path !== newest && now - one.usedAt > IN_USE_MS) {
      rmSync(one.path, { recursive: true, force: true });
    }
  }
}

function lookAt(path: string, now: number): readonly CachedConversion[] {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return [];
  const usedAt = facts.mtimeMs;
  try {
    const { bytes } = JSON.parse(readFileSync(join(path, 'conversion.json'), 'utf8')) as { readonly bytes: number };
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
