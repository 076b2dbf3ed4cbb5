/**
 * Where a text comes from, and how it reaches a worker: read in pieces and written to the data pipe. A file is never
 * whole in the host's memory.
 *
 * @module
 */
import { isAscii } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { messageOf, RlmError } from '../../errors.ts';
import { openRegular } from '../../regular-file.ts';
import { completeUtf8, decodeText } from '../../text-encoding.ts';
import { encodeExact } from '../channel/index.ts';
import type { FileValue } from '../port.ts';
import { type PieceWriter, writePieces } from './piece-writer.ts';
import { encodeUnits, findShape, type TextShape } from './text-units.ts';
import { type LoadHeader, PIECE_PREFIX, UTF8_PIECE_BYTES } from './worker/protocol.ts';

/** A text that can be read more than once. */
export interface TextSource {
  /**
   * Bytes of a file that is ASCII unless it turns out not to be: its shape is known without reading it. Undefined when
   * {@link measure} has to say.
   */
  readonly guess: (() => Promise<number>) | undefined;
  /** @throws RlmError `context-not-found`, `context-invalid` */
  measure(): Promise<TextShape>;
  /** The fastest way of sending it in this shape. */
  form(shape: TextShape): Pick<LoadHeader, 'form' | 'errors'>;
  /** Writes the text. False when it is not what was guessed or measured: the worker forgets it. */
  send(shape: TextShape, form: LoadHeader['form'], pipe: Writable): Promise<boolean>;
}

const PIECE = 1024 * 1024;

/** A text the caller has in memory. */
export function stringSource(text: string): TextSource {
  function* pieces(size: number): Generator<string> {
    for (let at = 0; at < text.length; ) {
      let end = Math.min(text.length, at + size);
      const last = text.charCodeAt(end - 1);
      if (last >= 0xd800 && last < 0xdc00 && end < text.length) end += 1;
      yield text.slice(at, end);
      at = end;
    }
  }
  return {
    guess: undefined,
    async measure() {
      const finder = findShape();
      for (const piece of pieces(PIECE)) finder.add(piece);
      return finder.shape;
    },
    // Four bytes per character cost more to make here than UTF-8 costs to decode there.
    form: (shape) => ({ form: shape.unit === 4 ? 'utf-8' : 'units', errors: 'surrogatepass' }),
    async send(shape, form, pipe) {
      const writer = writePieces(pipe, form, shape.length * shape.unit);
      // Three bytes per code unit at most: each piece fits into one of the pipe's, and no character is torn apart.
      for (const piece of pieces(form === 'units' ? PIECE : Math.floor(UTF8_PIECE_BYTES / 4))) {
        await writer.write(form === 'units' ? encodeUnits(piece, shape.unit) : encodeExact(piece));
      }
      await writer.end();
      return true;
    },
  };
}

/** A file on the host. */
export function fileSource(file: FileValue): TextSource {
  let seen: string | undefined;
  const utf8 = file.encoding === 'utf-8';
  // In other encodings the bytes of an ASCII text may be others than its characters.
  const asIs = (shape: TextShape): boolean => shape.maxChar < 128 && utf8;
  return {
    guess: utf8
      ? () =>
          withFile(file, async (handle) => {
            seen = await identity(handle);
            return Math.max(0, (await handle.stat()).size - file.skip);
          })
      : undefined,
    measure: () =>
      withFile(file, async (handle) => {
        seen = await identity(handle);
        if (file.encoding.startsWith('utf-16')) await checkEven(file, handle);
        const finder = findShape();
        for await (const piece of decoded(file, handle)) finder.add(piece);
        return finder.shape;
      }),
    form: (shape) => ({ form: utf8 && shape.maxChar > 127 ? 'utf-8' : 'units', errors: 'replace' }),
    send: (shape, form, pipe) =>
      withFile(file, async (handle) => {
        const writer = writePieces(pipe, form, shape.length * shape.unit);
        const whole =
          (await identity(handle)) === seen &&
          (asIs(shape) || form === 'utf-8'
            ? await sendBytes({ file, handle, writer, ascii: asIs(shape) })
            : await sendUnits({ file, handle, writer, unit: shape.unit })) &&
          (await identity(handle)) === seen;
        await (whole ? writer.end() : writer.abort());
        return whole;
      }),
  };
}

/** Sends the file's own bytes. False when they should be ASCII and are not. */
async function sendBytes(request: {
  readonly file: FileValue;
  readonly handle: FileHandle;
  readonly writer: PieceWriter;
  readonly ascii: boolean;
}): Promise<boolean> {
  const { file, handle, writer, ascii } = request;
  for (let position = file.skip; ; ) {
    const room = writer.room();
    const { bytesRead } = await handle.read(room, PIECE_PREFIX, room.length - PIECE_PREFIX, position);
    if (bytesRead === 0) return true;
    const bytes = room.subarray(PIECE_PREFIX, PIECE_PREFIX + bytesRead);
    if (ascii && !isAscii(bytes)) return false;
    // Whole characters, except at the end of a file that breaks off in one.
    const complete = ascii ? bytesRead : completeUtf8(bytes) || bytesRead;
    await writer.send(room, complete);
    position += complete;
  }
}

async function sendUnits(request: {
  readonly file: FileValue;
  readonly handle: FileHandle;
  readonly writer: PieceWriter;
  readonly unit: TextShape['unit'];
}): Promise<boolean> {
  const { file, handle, writer, unit } = request;
  for await (const piece of decoded(file, handle)) await writer.write(encodeUnits(piece, unit));
  return true;
}

async function withFile<T>(file: FileValue, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await openRegular(file);
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
  if ((size - file.skip) % 2 === 0) return;
  throw new RlmError({
    code: 'context-invalid',
    message: `The file ${file.path} cannot be the context: it is cut short (${file.encoding} has an even number of bytes).`,
    userAction: true,
  });
}

/** The text in pieces. */
async function* decoded(file: FileValue, handle: FileHandle): AsyncGenerator<string> {
  const decoding = decodeText(file.encoding);
  const buffer = Buffer.allocUnsafe(PIECE);
  let position = file.skip;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, PIECE, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const text = decoding.push(buffer.subarray(0, bytesRead));
    if (text !== '') yield text;
  }
  const rest = decoding.end();
  if (rest !== '') yield rest;
}
