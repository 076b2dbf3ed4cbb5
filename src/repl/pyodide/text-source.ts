/**
 * Where a text comes from, and how it reaches a child: read in pieces, brought into CPython's form, written to the
 * data pipe. It is never whole in the host's memory unless the caller had it there.
 *
 * @module
 */
import { isAscii } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { messageOf, RlmError } from '../../errors.ts';
import type { FileValue } from '../port.ts';
import { decodeText, encodeUnits, findShape, type TextShape } from './text-units.ts';

/** A text that can be read more than once. */
export interface TextSource {
  /** @throws RlmError `context-not-found`, `context-invalid` */
  measure(): Promise<TextShape>;
  /** Writes the text in the given shape. @throws RlmError `context-invalid` when it is not what was measured */
  send(shape: TextShape, pipe: Writable): Promise<void>;
}

const PIECE = 1024 * 1024;

/** A text the caller has in memory. */
export function stringSource(text: string): TextSource {
  function* pieces(): Generator<string> {
    for (let at = 0; at < text.length; ) {
      let end = Math.min(text.length, at + PIECE);
      const last = text.charCodeAt(end - 1);
      if (last >= 0xd800 && last < 0xdc00 && end < text.length) end += 1;
      yield text.slice(at, end);
      at = end;
    }
  }
  return {
    async measure() {
      const finder = findShape();
      for (const piece of pieces()) finder.text(piece);
      return finder.shape;
    },
    async send(shape, pipe) {
      for (const piece of pieces()) await write(pipe, encodeUnits(piece, shape.unit));
    },
  };
}

/** A file on the host. */
export function fileSource(file: FileValue): TextSource {
  let seen: string | undefined;
  return {
    async measure() {
      return await withFile(file, async (handle) => {
        seen = await identity(handle);
        const finder = findShape();
        if (file.encoding === 'utf-16le' || file.encoding === 'utf-16be') await checkEven(file, handle);
        for await (const piece of decoded(file, handle)) {
          if (typeof piece === 'string') finder.text(piece);
          else finder.ascii(piece.length);
        }
        return finder.shape;
      });
    },
    async send(shape, pipe) {
      await withFile(file, async (handle) => {
        const same = (await identity(handle)) === seen;
        const size = shape.length * shape.unit;
        let sent = 0;
        for await (const piece of same ? decoded(file, handle) : []) {
          const bytes = typeof piece === 'string' || shape.unit > 1 ? encodeUnits(piece.toString(), shape.unit) : piece;
          if (sent + bytes.length > size) break;
          sent += bytes.length;
          await write(pipe, bytes);
        }
        // The child waits for exactly what was announced.
        for (let left = size - sent; left > 0; left -= PIECE) await write(pipe, Buffer.alloc(Math.min(left, PIECE)));
        if (!same || sent !== size) throw invalid(file, 'it changed while it was read');
      });
    },
  };
}

async function withFile<T>(file: FileValue, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await open(file.path, 'r');
  } catch (error) {
    throw new RlmError({
      code: 'context-not-found',
      message: `The file ${file.path} could not be read: ${messageOf(error)}`,
      cause: error,
      userAction: true,
    });
  }
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** Changes when the file does. */
async function identity(handle: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

async function checkEven(file: FileValue, handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  if ((size - file.skip) % 2 !== 0) throw invalid(file, `it has an odd number of bytes, which is no ${file.encoding}`);
}

/** The text in pieces: bytes where they are ASCII, strings otherwise. */
async function* decoded(file: FileValue, handle: FileHandle): AsyncGenerator<string | Buffer> {
  const decoding = decodeText(file.encoding);
  const single = file.encoding === 'utf-8' || file.encoding === 'latin-1';
  let held = false;
  let position = file.skip;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const bytes = buffer.subarray(0, bytesRead);
    if (single && !held && isAscii(bytes)) yield bytes;
    else {
      const text = decoding.push(bytes);
      held = true;
      if (text !== '') yield text;
    }
  }
  const rest = decoding.end();
  if (rest !== '') yield rest;
}

function invalid(file: FileValue, why: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The file ${file.path} cannot be the context: ${why}.`,
    userAction: true,
  });
}

function write(pipe: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (pipe.destroyed) return reject(new RlmError({ code: 'repl-failure', message: "The REPL's process has ended." }));
    pipe.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
