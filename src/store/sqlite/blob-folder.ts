import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { copyFile, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { ulid } from 'ulid';
import type { BlobRef, BlobStore } from '../blob-store.ts';
import { checkFile, checkFolder, privateFolder, removeFile } from '../private-files.ts';
import { StoreError, storeFailure } from '../store-error.ts';
import { readPieces, type StoreFiles } from './store-files.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Bytes from which compressing pays. */
const WORTH_COMPRESSING = 4096;
/** Bytes hashed before other work gets its turn. */
const HASHED_AT_ONCE = 4 * 1024 * 1024;

/** Who owns which blob: kept in the database, so that owners and blobs agree after a crash. */
export interface BlobOwners {
  /** Resolves when it is synced. */
  claim(blob: string, owner: string): Promise<void>;
  /** Gives up claims; resolves to the blobs that have no owner any more, when that is synced. */
  release(owner: string, blob: string | undefined): Promise<readonly string[]>;
  /** Runs `remove` if no process has claimed the blob meanwhile, and none can before `remove` has returned. */
  removeFree(blob: string, remove: () => void): Promise<void>;
}

export interface BlobFolderOptions {
  readonly folder: string;
  readonly files: StoreFiles;
  readonly owners: BlobOwners;
  /** Whose files are written aside. Default: nothing is written. */
  readonly writer?: BlobWriter;
}

/** The store that writes, among others in the same folder. */
export interface BlobWriter {
  readonly id: string;
  /** Whether the store of this id is still open in some process. */
  readonly isAlive: (id: string) => boolean;
}

/**
 * Blobs as files named by the SHA-256 of their content, compressed where that pays. A blob is written aside, synced,
 * moved into its place, and only then claimed: a crash leaves at most a file without a claim.
 */
export function blobFolder({ folder, files, owners, writer }: BlobFolderOptions): BlobStore {
  const aside = join(folder, 'tmp');
  if (writer !== undefined) sweep(folder, aside, writer.isAlive);
  const one = oneAtATime();
  const failed = (error: unknown): never => {
    throw storeFailure('Storing a value in', folder, error);
  };

  async function place(id: string, owner: string, write: (path: string) => Promise<string>): Promise<void> {
    await one(async () => {
      // Another process may remove it, as free, until it is claimed: then it is written again.
      do {
        if (find(folder, id) === undefined) {
          for (const each of [folder, aside]) privateFolder(each);
          const from = join(aside, `${writer?.id}.${ulid()}`);
          const to = pathOf(folder, id) + (await write(from));
          privateFolder(dirname(to));
          await files.rename(from, to);
        }
        await owners.claim(id, owner);
      } while (find(folder, id) === undefined);
    });
  }

  return {
    async put(value, owner) {
      const { bytes, content } = encode(value);
      const id = await sha256(inSlices(bytes));
      const write = async (path: string): Promise<string> => {
        const packed = bytes.length < WORTH_COMPRESSING ? bytes : await zstd(bytes);
        const smaller = packed.length < bytes.length * 0.9;
        await files.write(path, [smaller ? packed : bytes]);
        return smaller ? COMPRESSED : '';
      };
      await place(id, owner, write).catch(failed);
      return { id, bytes: bytes.length, content };
    },
    async putFile(path, owner) {
      const id = await sha256(readPieces(path));
      const { size } = await stat(path);
      const write = async (to: string): Promise<string> => {
        await files.write(to, readPieces(path));
        if ((await sha256(readPieces(to))) === id) return '';
        throw new StoreError({ message: `${path} changed while it was copied.`, data: { path } });
      };
      await place(id, owner, write).catch(failed);
      return { id, bytes: size, content: 'bytes' };
    },
    async text(ref) {
      const bytes = await read(folder, ref);
      return bytes.toString(ref.content === 'utf-16' ? 'utf16le' : 'utf8');
    },
    bytes: (ref) => read(folder, ref),
    async copyTo(ref, path) {
      const from = find(folder, ref.id);
      if (from === undefined || from.endsWith(COMPRESSED)) await files.write(path, [await read(folder, ref)]);
      else await copyFile(from, path);
    },
    async release(owner, ref) {
      await one(async () => {
        for (const id of await owners.release(owner, ref?.id)) {
          // A store that another person made may name anything.
          const path = VALUE_ID.test(id) ? find(folder, id) : undefined;
          if (path !== undefined) await owners.removeFree(id, () => files.remove(path));
        }
      }).catch(failed);
    },
  };
}

const COMPRESSED = '.zst';
const VALUE_ID = /^[0-9a-f]{64}$/;
/** Names of files that are being written: the store that writes them, and a name of their own. Version 0.1 had the latter only. */
const ASIDE = /^(?:(?<writer>[0-9A-HJKMNP-TV-Z]{26})\.)?[0-9A-HJKMNP-TV-Z]{26}$/;

/** Removes what processes that have ended left half written: files of the names that stores give, one by one. */
function sweep(folder: string, aside: string, isAlive: BlobWriter['isAlive']): void {
  if (!checkFolder(folder, 'write') || !checkFolder(aside, 'write')) return;
  for (const name of readdirSync(aside)) {
    const found = ASIDE.exec(name);
    const writer = found?.groups?.writer;
    if (found !== null && (writer === undefined || !isAlive(writer))) removeFile(join(aside, name));
  }
}

/** @throws StoreError for a name that is not the hash of a value: it could lead anywhere */
function pathOf(folder: string, id: string): string {
  if (VALUE_ID.test(id)) return join(folder, id.slice(0, 2), id);
  throw new StoreError({ message: `${JSON.stringify(id)} does not name a value of this store.`, data: { blob: id } });
}

/** @throws StoreError when a folder or file on the way is not the store's own */
function find(folder: string, id: string): string | undefined {
  const path = pathOf(folder, id);
  if (!checkFolder(folder, 'look') || !checkFolder(dirname(path), 'look')) return undefined;
  return [path, path + COMPRESSED].find((each) => checkFile(each, 'look'));
}

async function read(folder: string, ref: BlobRef): Promise<Buffer> {
  const path = find(folder, ref.id);
  if (path === undefined) {
    throw new StoreError({ message: `The value ${ref.id} is missing in ${folder}.`, data: { blob: ref.id } });
  }
  try {
    const stored = await readFile(path);
    const bytes = path.endsWith(COMPRESSED) ? await decompress(stored) : stored;
    if ((await sha256(inSlices(bytes))) === ref.id) return bytes;
  } catch (error) {
    throw storeFailure(`Reading ${path} in`, folder, error);
  }
  throw new StoreError({ message: `${path} is damaged: its content is not what was stored.`, data: { blob: ref.id } });
}

function encode(value: string | Uint8Array): { readonly bytes: Uint8Array; readonly content: BlobRef['content'] } {
  if (typeof value !== 'string') return { bytes: value, content: 'bytes' };
  // UTF-8 would lose lone surrogates.
  if (!value.isWellFormed()) return { bytes: Buffer.from(value, 'utf16le'), content: 'utf-16' };
  return { bytes: Buffer.from(value, 'utf8'), content: 'utf-8' };
}

function zstd(bytes: Uint8Array): Promise<Uint8Array> {
  return compress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
}

async function* inSlices(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += HASHED_AT_ONCE) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(start, start + HASHED_AT_ONCE);
  }
}

async function sha256(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** Whether a blob is there is looked at and acted on by one call at a time. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
