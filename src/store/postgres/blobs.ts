import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decode, encode, inSlices, pack, sha256, unpack } from '../blob-codec.ts';
import type { BlobRef, BlobStore } from '../blob-store.ts';
import { readPieces } from '../sqlite/store-files.ts';
import { StoreError } from '../store-error.ts';
import type { ValueStorage } from '../value-storage.ts';
import type { Access } from './query.ts';
import { type Content, LOCK_VALUE, type StoredParts, valueParts } from './value-parts.ts';
import { leaseLost, NOTHING } from './writer.ts';

interface BlobOptions {
  /** In whose name values are stored. */
  readonly owner: string;
  readonly location: string;
  /** Keeps the content of values. Default: the database. */
  readonly values: ValueStorage | undefined;
}

/** Values in parts, compressed where that pays. A value and the claim of its owner are stored in one transaction. */
export function postgresBlobs(access: Access, { owner: writer, location, values }: BlobOptions): BlobStore {
  const { write, read, large } = access;
  const parts = valueParts(access, { location, values });
  const place = async (id: string, owner: string, make: () => Promise<Content>): Promise<void> => {
    await write(NOTHING); // The lease that the transaction checks.
    await large(async (client) => {
      await client.query('BEGIN');
      await client.query(LOCK_VALUE, [id]);
      // A value is stored by owners whose lease is in force.
      const lease = await client.query('SELECT 1 FROM owners WHERE id = $1 FOR KEY SHARE', [writer]);
      if (lease.rows.length === 0) throw leaseLost(location);
      const known = await client.query('SELECT 1 FROM blobs WHERE id = $1', [id]);
      if (known.rows.length === 0) await parts.insert(client, id, await make());
      await client.query('INSERT INTO blob_owners (blob, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING', [id, owner]);
      await client.query('COMMIT');
    });
  };
  const stored = async (ref: BlobRef): Promise<StoredParts> => {
    const text = 'SELECT packed, place, parts FROM blobs WHERE id = $1';
    const [blob] = await read<{ packed: boolean; place: string | null; parts: number | null }>({
      text,
      values: [ref.id],
    });
    if (blob === undefined) throw missing(ref, location);
    return { ...blob, id: ref.id };
  };
  const whole = async (ref: BlobRef): Promise<Buffer> => {
    const blob = await stored(ref);
    const found: Uint8Array[] = [];
    for await (const part of parts.of(blob)) found.push(part);
    const content = Buffer.concat(found);
    const bytes = blob.packed ? await unpack(content).catch(() => Buffer.alloc(0)) : content;
    if ((await sha256(inSlices(bytes))) !== ref.id) throw damaged(ref, location);
    return bytes;
  };
  return {
    async put(value, owner) {
      const { bytes, content } = encode(value);
      const id = await sha256(inSlices(bytes));
      await place(id, owner, async () => {
        const packed = await pack(bytes);
        return { packed: packed !== undefined, pieces: inSlices(packed ?? bytes) };
      });
      return { id, bytes: bytes.length, content };
    },
    async putFile(path, owner) {
      const id = await sha256(readPieces(path));
      const { size } = await stat(path);
      await place(id, owner, async () => ({ packed: false, pieces: sameAs(readPieces(path), { id, path }) }));
      return { id, bytes: size, content: 'bytes' };
    },
    text: async (ref) => decode(await whole(ref), ref),
    bytes: whole,
    async copyTo(ref, path) {
      const blob = await stored(ref);
      const pieces = blob.packed ? Readable.from([await whole(ref)]) : sameAs(parts.of(blob), { id: ref.id, path });
      await pipeline(pieces, createWriteStream(path, { mode: 0o600 }));
    },
    async release(owner, ref) {
      await write({ text: 'SELECT release_blobs($1, $2)', values: [owner, ref?.id ?? null] });
      await parts.sweep();
    },
  };
}

/** Passes pieces on, and fails at the end if they are not the value they should be. */
async function* sameAs(
  pieces: AsyncIterable<Uint8Array>,
  { id, path }: { readonly id: string; readonly path: string },
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest('hex') === id) return;
  throw new StoreError({
    message: `${path} is not the value it should be: it changed while it was copied.`,
    data: { path },
  });
}

function missing({ id }: BlobRef, location: string): StoreError {
  return new StoreError({ message: `The value ${id} is missing in the store at ${location}.`, data: { blob: id } });
}

function damaged({ id }: BlobRef, location: string): StoreError {
  const message = `The value ${id} in the store at ${location} is damaged: its content is not what was stored.`;
  return new StoreError({ message, data: { blob: id } });
}
