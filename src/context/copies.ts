/**
 * Private copies of contexts that come from elsewhere: REPLs map files, and a run that is resumed reads them again.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CACHE_INDEX, conversionFolder, dropOldest } from '../convert/conversion-cache.ts';
import { RlmError } from '../errors.ts';
import { type ContextSource, contextSource } from './input.ts';

/** A file that only its owner can read. */
export interface FileCopy {
  readonly path: string;
  /** Removes it, unless it belongs to a cache. */
  readonly dispose: () => Promise<void>;
}

/** Writes a copy. */
export type KeepCopy = (pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal) => Promise<FileCopy>;

const CONTENT = 'content';

/** Keeps a copy beside the conversions of documents, under their limit of size; the same content is kept once. */
export const keepInCache: KeepCopy = async (pieces, signal) => {
  const root = conversionFolder();
  const fresh = join(root, `copy.${randomBytes(8).toString('hex')}`);
  mkdirSync(fresh, { mode: 0o700 });
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        hash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    };
    const file = createWriteStream(join(fresh, CONTENT), { flags: 'wx', mode: 0o600 });
    await pipeline(counted(), file, { ...(signal !== undefined && { signal }) });
    writeFileSync(join(fresh, CACHE_INDEX), JSON.stringify({ bytes }), { mode: 0o600 });
    const folder = join(root, `copy-${hash.digest('hex')}`);
    moveTo(fresh, folder);
    dropOldest(folder);
    return { path: join(folder, CONTENT), dispose: () => Promise.resolve() };
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
};

/** A folder that is there has the same content: it counts as used now. */
function moveTo(fresh: string, folder: string): void {
  try {
    renameSync(fresh, folder);
  } catch (error) {
    if (!TAKEN.has(String((error as NodeJS.ErrnoException).code))) throw error;
    const now = new Date();
    utimesSync(folder, now, now);
    rmSync(fresh, { recursive: true, force: true });
  }
}

const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM']);

/** The bytes of a copy. */
export function piecesOf({ path }: FileCopy): AsyncIterable<Uint8Array> {
  return createReadStream(path);
}

/** A context made of a copy: errors name where it came from in place of its path. */
export function sourceOfCopy(copied: {
  readonly copy: FileCopy;
  readonly from: string;
  readonly source: ContextSource;
}): ContextSource {
  const { copy, from, source } = copied;
  const { path } = copy;
  return contextSource(async (room) => {
    try {
      return await source.load(room);
    } catch (error) {
      if (!RlmError.isInstance(error) || !error.message.includes(path)) throw error;
      const { code, userAction, data } = error;
      const message = error.message.replaceAll(path, from);
      throw new RlmError({ code, message, userAction, data: { ...data, path: from }, cause: error });
    }
  });
}
