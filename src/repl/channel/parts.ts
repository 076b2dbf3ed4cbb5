import type { Blob, BlobStore } from './blob-store.ts';
import type { Frame } from './frame.ts';
import { ChannelViolation } from './limits.ts';
import { checkInteger, type Fields, field, readList, readObject } from './shape.ts';

/** One part of a frame: bytes of its body, or a blob that came before. */
export type Part = { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'blob'; readonly blob: Blob };

/** Parts of one frame, read in order; an unread part at the end is a violation. */
export interface PartReader {
  next(): Part;
  /** The next part as text of at most `maxBytes`. */
  text(maxBytes: number): string;
  /** The next part as bytes in memory. */
  bytes(maxBytes: number): Buffer;
  /** Bytes read into memory so far. No accessor: with one the object takes kilobytes, and there is one for each call. */
  bytesRead(): number;
  /** @throws ChannelViolation when parts are left */
  end(): void;
  /** Takes the blobs that the parts name out of the store, so that all others can be freed. */
  claim(): void;
  /** Frees the blobs that were taken, when nothing will use them. */
  abandon(): void;
}

/** Reads `header.parts`: lengths of pieces of the body, or `{blob: id}`. */
export function readParts(frame: Frame, fields: Fields, blobs: BlobStore): PartReader {
  const sizes = field(fields, 'parts') === undefined ? [] : readList(fields, 'parts', 1_000_000);
  const taken: Blob[] = [];
  /** Claimed and not yet read. */
  const claimed = new Map<number, Blob>();
  let at = 0;
  let start = 0;
  let bytesRead = 0;

  function take(size: unknown): { readonly id: number; readonly blob: Blob } {
    const id = checkInteger(field(readObject(size, 'a part'), 'blob'), 'blob', 1, 0xffff_ffff);
    const known = claimed.get(id);
    if (known !== undefined) return { id, blob: known };
    const blob = blobs.take(id);
    if (blob === undefined) throw new ChannelViolation(`blob ${id} is not there`);
    taken.push(blob);
    return { id, blob };
  }

  function next(): Part {
    if (at >= sizes.length) throw new ChannelViolation('a part is missing');
    const size = sizes[at];
    at += 1;
    if (typeof size === 'object') {
      const { id, blob } = take(size);
      claimed.delete(id);
      return { kind: 'blob', blob };
    }
    const length = checkInteger(size, 'a length in parts', 0, frame.body.length - start);
    start += length;
    return { kind: 'bytes', bytes: frame.body.subarray(start - length, start) };
  }

  function bytes(maxBytes: number): Buffer {
    const part = next();
    const size = part.kind === 'bytes' ? part.bytes.length : part.blob.size;
    try {
      if (size > maxBytes) throw new ChannelViolation(`a text of ${size} bytes is longer than ${maxBytes} bytes`);
      bytesRead += size;
      return part.kind === 'bytes' ? part.bytes : part.blob.bytes();
    } finally {
      if (part.kind === 'blob') part.blob.free();
    }
  }

  return {
    next,
    bytes,
    bytesRead: () => bytesRead,
    text: (maxBytes) => bytes(maxBytes).toString('utf8'),
    claim() {
      for (const size of sizes) {
        if (typeof size !== 'object') continue;
        const { id, blob } = take(size);
        claimed.set(id, blob);
      }
    },
    abandon() {
      for (const blob of taken) blob.free();
    },
    end() {
      if (at !== sizes.length || start !== frame.body.length)
        throw new ChannelViolation('a frame holds more than it says');
    },
  };
}
