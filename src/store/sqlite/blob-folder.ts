import { readdirSync } from 'node:fs';
import { copyFile, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ulid } from 'ulid';
import { decode, encode, inSlices, pack, sha256, unpack } from '../blob-codec.ts';
import type { BlobRef, BlobStore } from '../blob-store.ts';
import { checkFile, checkFolder, privateFolder, removeFile } from '../private-files.ts';
import { StoreError, storeFailure } from '../store-error.ts';
import { readPieces, type StoreFiles } from './store-files.ts';

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
        const packed = await pack(bytes);
        await files.write(path, [packed ?? bytes]);
        return packed === undefined ? '' : COMPRESSED;
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
      return decode(bytes, ref);
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
    const bytes = path.endsWith(COMPRESSED) ? await unpack(stored) : stored;
    if ((await sha256(inSlices(bytes))) === ref.id) return bytes;
  } catch (error) {
    throw storeFailure(`Reading ${path} in`, folder, error);
  }
  throw new StoreError({ message: `${path} is damaged: its content is not what was stored.`, data: { blob: ref.id } });
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
