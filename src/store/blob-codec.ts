import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { BlobRef } from './blob-store.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Bytes from which compressing pays. */
const WORTH_COMPRESSING = 4096;
/** Bytes hashed before other work gets its turn. */
const HASHED_AT_ONCE = 4 * 1024 * 1024;

/** The bytes of a value. */
export function encode(value: string | Uint8Array): {
  readonly bytes: Uint8Array;
  readonly content: BlobRef['content'];
} {
  if (typeof value !== 'string') return { bytes: value, content: 'bytes' };
  // UTF-8 would lose lone surrogates.
  if (!value.isWellFormed()) return { bytes: Buffer.from(value, 'utf16le'), content: 'utf-16' };
  return { bytes: Buffer.from(value, 'utf8'), content: 'utf-8' };
}

/** The text of a value that was stored as one. */
export function decode(bytes: Buffer, { content }: Pick<BlobRef, 'content'>): string {
  return bytes.toString(content === 'utf-16' ? 'utf16le' : 'utf8');
}

/** Compressed, where that pays. */
export async function pack(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (bytes.length < WORTH_COMPRESSING) return undefined;
  const packed = await compress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  return packed.length < bytes.length * 0.9 ? packed : undefined;
}

/** Undoes {@link pack}. */
export async function unpack(packed: Uint8Array): Promise<Buffer> {
  return await decompress(packed);
}

/** Bytes in slices, between which other work gets its turn. */
export async function* inSlices(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += HASHED_AT_ONCE) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(start, start + HASHED_AT_ONCE);
  }
}

/** Hash in hex. */
export async function sha256(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
