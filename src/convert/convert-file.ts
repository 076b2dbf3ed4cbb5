/**
 * Files as documents: converted once for each content, by a process of its own, and kept.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckedFile, openRegular } from '../regular-file.ts';
import { contentKey } from './content-key.ts';
import type { Conversion } from './conversion.ts';
import { CACHE_INDEX, conversionFolder, dropOldest } from './conversion-cache.ts';
import type { ConvertedKind } from './kinds.ts';
import { MAX_CONVERTERS } from './limits.ts';
import { readConversion } from './read-conversion.ts';
import { type ConverterRun, runConverter } from './run-converter.ts';
import { ConversionWriter } from './write-conversion.ts';

/** A conversion and the folder of its files. */
export interface ConvertedFile {
  readonly conversion: Conversion;
  /** The path of a file by its number. */
  readonly path: (file: number) => string;
  readonly bytes: (file: number) => number;
}

/** Changes when converters give other results for the same files. */
const VERSION = 2;

/** Conversions under way in this process, by their folder. */
const underWay = new Map<string, Promise<ConvertedFile>>();

/**
 * The conversion of a file, or of one part of its table: from the cache where its content was converted before.
 *
 * @throws ConversionError for a file that cannot be converted; Error of the file system
 */
export async function convertFile(file: CheckedFile, kind: ConvertedKind, part?: number): Promise<ConvertedFile> {
  await using handle = await openRegular(file);
  const name = `${kind}-${VERSION}-${await contentKey(handle)}${part === undefined ? '' : `-${part}`}`;
  const folder = join(conversionFolder(), name);
  const kept = underWay.get(folder) ?? cached(folder);
  if (kept !== undefined) return kept;
  const wanted = { kind, ...(part !== undefined && { part }) };
  const converting = queued(() => convert(handle, wanted, folder)).finally(() => underWay.delete(folder));
  underWay.set(folder, converting);
  return await converting;
}

async function convert(
  handle: FileHandle,
  wanted: Pick<ConverterRun, 'kind' | 'part'>,
  folder: string,
): Promise<ConvertedFile> {
  const fresh = `${folder}.${randomBytes(6).toString('hex')}`;
  mkdirSync(fresh, { mode: 0o700 });
  const writer = new ConversionWriter(fresh);
  try {
    await runConverter({ ...wanted, fd: handle.fd, writer });
    writer.close();
    writeFileSync(join(fresh, CACHE_INDEX), JSON.stringify({ conversion: writer.conversion, bytes: writer.bytes }), {
      mode: 0o600,
    });
    moveTo(fresh, folder);
  } catch (error) {
    writer.close();
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
  dropOldest(folder);
  return fileIn(folder, writer.conversion);
}

/** Another process may have been faster: its result is the same. */
function moveTo(fresh: string, folder: string): void {
  try {
    renameSync(fresh, folder);
  } catch (error) {
    if (cached(folder) === undefined) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
}

function cached(folder: string): ConvertedFile | undefined {
  try {
    const { conversion } = JSON.parse(readFileSync(join(folder, CACHE_INDEX), 'utf8')) as {
      readonly conversion: unknown;
    };
    const read = readConversion(conversion, Number.MAX_SAFE_INTEGER);
    const now = new Date();
    utimesSync(folder, now, now);
    return fileIn(folder, read);
  } catch {
    return undefined; // It is converted again.
  }
}

function fileIn(folder: string, conversion: Conversion): ConvertedFile {
  const path = (file: number): string => join(folder, String(file));
  return { conversion, path, bytes: (file) => statSync(path(file)).size };
}

let working = 0;
const waiting: (() => void)[] = [];

/** At most `MAX_CONVERTERS` at once. */
export async function queued<T>(work: () => Promise<T>): Promise<T> {
  if (working >= MAX_CONVERTERS) await new Promise<void>((resolve) => waiting.push(resolve));
  else working += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) working -= 1;
    else next();
  }
}
