/**
 * The one file that a converter may read.
 *
 * @module
 */
import { fstatSync, readSync } from 'node:fs';

/** A file that cannot be converted; the message is a clause that continues `it is a PDF that cannot be read: `. */
export class Refusal extends Error {}

/** Bytes of the file that are read at once by kinds that need all of it. */
const WHOLE_BYTES = 512 * 1024 * 1024;

/** The file, by its descriptor. */
export interface Input {
  readonly fd: number;
  readonly bytes: number;
  /** Its path, for a parser that takes no descriptor. */
  readonly path: string | undefined;
  /** All of it. @throws Refusal for a file too large for that */
  whole(): Buffer;
  /** The file in pieces, from the beginning. */
  pieces(): Generator<Buffer>;
  readAt(position: number, length: number): Buffer;
}

const PIECE = 1024 * 1024;

export function openInput(fd: number, path?: string): Input {
  const bytes = fstatSync(fd).size;
  const readAt = (position: number, length: number): Buffer => {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, bytes - position)));
    let read = 0;
    while (read < buffer.length) {
      const more = readSync(fd, buffer, read, buffer.length - read, position + read);
      if (more === 0) break;
      read += more;
    }
    return buffer.subarray(0, read);
  };
  return {
    fd,
    path,
    bytes,
    readAt,
    whole() {
      if (bytes > WHOLE_BYTES) throw new Refusal(`it has ${bytes} bytes, and at most ${WHOLE_BYTES} are read`);
      return readAt(0, bytes);
    },
    *pieces() {
      for (let position = 0; position < bytes; position += PIECE) yield readAt(position, PIECE);
    },
  };
}
