import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { decode, encode, inSlices, pack, sha256, unpack } from '../blob-codec.ts';
import type { BlobRef, BlobStore } from '../blob-store.ts';
import { readPieces } from '../sqlite/store-files.ts';
import { StoreError } from '../store-error.ts';
import type { Access } from './query.ts';
import { leaseLost, NOTHING } from './writer.ts';

/** Bytes of one part of a value: a row. */
const PART_BYTES = 1024 * 1024;

/** Values in parts, compressed where that pays. A value and the claim of its owner are stored in one transaction. */
export function postgresBlobs(
  access: Access,
  options: { readonly owner: string; readonly location: string },
): BlobStore {
  const { write, read, large } = access;
  const place = async (id: string, owner: string, make: () => Promise<Content>): Promise<void> => {
    await write(NOTHING); // The lease that the transaction checks.
    await large(async (client) => {
      await client.query('BEGIN');
      await client.query(LOCK_VALUE, [id]);
      // A value is stored by owners whose lease is in force.
      const lease = await client.query('SELECT 1 FROM owners WHERE id = $1 FOR KEY SHARE', [options.owner]);
      if (lease.rows.length === 0) throw leaseLost(options.location);
      const known = await client.query('SELECT 1 FROM blobs WHERE id = $1', [id]);
      if (known.rows.length === 0) await insert(client, id, await make());
      await client.query('INSERT INTO blob_owners (blob, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING', [id, owner]);
      await client.query('COMMIT');
    });
  };
  const isPacked = async (ref: BlobRef): Promise<boolean> => {
    const [blob] = await read<{ packed: boolean }>({
      text: 'SELECT packed FROM blobs WHERE id = $1',
      values: [ref.id],
    });
    if (blob === undefined) throw missing(ref, options.location);
    return blob.packed;
  };
  const whole = async (ref: BlobRef): Promise<Buffer> => {
    const packed = await isPacked(ref);
    const parts: Uint8Array[] = [];
    for await (const part of partsOf(ref, read)) parts.push(part);
    const stored = Buffer.concat(parts);
    const bytes = packed ? await unpack(stored).catch(() => Buffer.alloc(0)) : stored;
    if ((await sha256(inSlices(bytes))) !== ref.id) throw damaged(ref, options.location);
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
      const packed = await isPacked(ref);
      const pieces = packed ? Readable.from([await whole(ref)]) : sameAs(partsOf(ref, read), { id: ref.id, path });
      await pipeline(pieces, createWriteStream(path, { mode: 0o600 }));
    },
    release: (owner, ref) => write({ text: 'SELECT release_blobs($1, $2)', values: [owner, ref?.id ?? null] }),
  };
}

/** The content of a value as it is stored. */
interface Content {
  readonly packed: boolean;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** One transaction at a time stores or deletes a value: a claim must not meet its deletion. */
const LOCK_VALUE = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

async function insert(client: PoolClient, id: string, { packed, pieces }: Content): Promise<void> {
  await client.query('INSERT INTO blobs (id, packed) VALUES ($1, $2)', [id, packed]);
  let no = 0;
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += PART_BYTES) {
      const body = Buffer.from(piece.subarray(start, start + PART_BYTES));
      await client.query('INSERT INTO blob_parts (blob, no, body) VALUES ($1, $2, $3)', [id, no++, body]);
    }
  }
}

/** The stored parts one after the other, so that a large value is never in memory. */
async function* partsOf(ref: BlobRef, read: Access['read']): AsyncIterable<Uint8Array> {
  const text = 'SELECT body FROM blob_parts WHERE blob = $1 AND no = $2';
  for (let no = 0; ; no++) {
    const [part] = await read<{ body: Buffer }>({ text, values: [ref.id, no] });
    if (part === undefined) return;
    yield part.body;
  }
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
