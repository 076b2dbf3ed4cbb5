/**
 * Texts straight from the data pipe into Python strings: the bytes are read to where the string keeps them, so a
 * context exists once.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { setItem, withCString } from './capi.ts';
import type { PyodideModule } from './emscripten.ts';
import { FD, type LoadHeader, PIECE_ABORT, PIECE_PREFIX, type TextRange, UTF8_PIECE_BYTES } from './protocol.ts';
import { readSome } from './wire.ts';

/** Loads texts. */
export interface TextLoader {
  /** Makes a string of what the pipe gives next. Undefined when memory does not suffice, or the host gave it up. */
  load(header: LoadHeader): TextRange | undefined;
  /** Reads a text, sent as units, to where it was before. */
  reload(range: TextRange): void;
}

/** Bytes before a string's characters, measured rather than assumed: sizes of CPython's string objects. */
interface StringLayout {
  readonly ascii: number;
  readonly other: number;
}

/** Takes a piece of the given length off the pipe, whole in any case; false when it does not fit. */
type TakePiece = (bytes: number) => boolean;

/** Makes the loader. */
export function makeTextLoader(python: PyodideModule, loadedDict: number): TextLoader {
  const layout = measureLayout(python);
  return {
    load(header) {
      const object = python._PyUnicode_New(header.length, header.maxChar);
      if (object === 0) {
        python._PyErr_Clear();
        forEachPiece(refuse);
        return undefined;
      }
      const bytes = header.length * header.unit;
      const address = object + (header.maxChar < 128 ? layout.ascii : layout.other);
      const whole = header.form === 'units' ? takeUnits(python, address, bytes) : takeUtf8(python, object, header);
      if (!whole) {
        python._Py_DecRef(object);
        return undefined;
      }
      setItem(python, loadedDict, header.token, object);
      // A kept text is left out of snapshots, so it must stay where it is: our reference is never given back.
      if (!header.keep) python._Py_DecRef(object);
      return { token: header.token, address, bytes };
    },
    reload(range) {
      if (!takeUnits(python, range.address, range.bytes)) throw new Error('a text is not what it was');
    },
  };
}

/** Reads pieces side by side into memory; true when they filled it exactly. */
function takeUnits(python: PyodideModule, address: number, bytes: number): boolean {
  let at = 0;
  const ended = forEachPiece((length) => {
    if (at + length > bytes) return refuse(length);
    receive(python.HEAPU8, address + at, length);
    at += length;
    return true;
  });
  return ended && at === bytes;
}

/** Has CPython decode each piece, and copies the characters into the string. */
function takeUtf8(python: PyodideModule, target: number, header: LoadHeader): boolean {
  const buffer = python._malloc(UTF8_PIECE_BYTES);
  let at = 0;
  const ended =
    buffer !== 0 &&
    withCString(python, header.errors, (errors) =>
      forEachPiece((length) => {
        if (length > UTF8_PIECE_BYTES) return refuse(length);
        receive(python.HEAPU8, buffer, length);
        const piece = python._PyUnicode_DecodeUTF8(buffer, length, errors);
        const count = piece === 0 ? -1 : python._PyUnicode_GetLength(piece);
        const copied =
          count >= 0 &&
          at + count <= header.length &&
          python._PyUnicode_CopyCharacters(target, at, piece, 0, count) >= 0;
        if (piece !== 0) python._Py_DecRef(piece);
        if (!copied) python._PyErr_Clear();
        at += count;
        return copied;
      }),
    );
  if (buffer === 0) forEachPiece(refuse);
  python._free(buffer);
  return ended && at === header.length;
}

/** Hands pieces out until the text ends; a refused text is read all the same. False when it was given up or refused. */
function forEachPiece(take: TakePiece): boolean {
  const prefix = Buffer.alloc(PIECE_PREFIX);
  let good = true;
  for (;;) {
    receive(prefix, 0, PIECE_PREFIX);
    const length = prefix.readUInt32LE(0);
    if (length === PIECE_ABORT) return false;
    if (length === 0) return good;
    good = good ? take(length) : refuse(length);
  }
}

function receive(target: Uint8Array, offset: number, bytes: number): void {
  let at = 0;
  while (at < bytes) {
    const got = readSome(FD.data, target, offset + at, bytes - at);
    if (got === 0) throw new Error('the text ended early');
    at += got;
  }
}

/** Reads a piece for nothing. */
function refuse(bytes: number): false {
  const sink = new Uint8Array(Math.min(bytes, 1024 * 1024));
  for (let left = bytes; left > 0; ) {
    const got = readSome(FD.data, sink, 0, Math.min(sink.length, left));
    if (got === 0) throw new Error('the text ended early');
    left -= got;
  }
  return false;
}

/** Finds the characters of two known strings in memory. */
function measureLayout(python: PyodideModule): StringLayout {
  return {
    ascii: offsetOf(python, [0x66, 0x74, 0x68, 0x6d]),
    other: offsetOf(python, [0xc3, 0xa4, 0x74, 0x68, 0x6d]),
  };
}

function offsetOf(python: PyodideModule, utf8: readonly number[]): number {
  const pointer = python._malloc(utf8.length);
  python.HEAPU8.set(utf8, pointer);
  const object = python._PyUnicode_DecodeUTF8(pointer, utf8.length, 0);
  python._free(pointer);
  const latin1 = utf8[0] === 0xc3 ? [0xe4, ...utf8.slice(2)] : utf8;
  for (let offset = 8; offset < 64; offset += 1) {
    if (latin1.every((byte, index) => python.HEAPU8[object + offset + index] === byte)) {
      python._Py_DecRef(object);
      return offset;
    }
  }
  throw new Error('this CPython keeps strings in a way unknown here');
}
