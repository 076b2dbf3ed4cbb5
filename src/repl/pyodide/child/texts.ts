/**
 * Texts straight from the data pipe into Python strings: the bytes are read to where the string keeps them, so a
 * context exists once.
 *
 * @module
 */
import { setItem } from './capi.ts';
import type { PyodideModule } from './emscripten.ts';
import { FD, type LoadHeader, type TextRange } from './protocol.ts';
import { readSome } from './wire.ts';

/** Loads texts. */
export interface TextLoader {
  /** Makes a string of what the pipe gives next; undefined when memory does not suffice. */
  load(header: LoadHeader): TextRange | undefined;
  /** Reads a text to where it was before. */
  reload(range: TextRange): void;
}

/** Bytes before a string's characters, measured rather than assumed: sizes of CPython's string objects. */
interface StringLayout {
  readonly ascii: number;
  readonly other: number;
}

export function makeTextLoader(python: PyodideModule, loadedDict: number): TextLoader {
  const layout = measureLayout(python);
  return {
    load(header) {
      const bytes = header.length * header.unit;
      const object = python._PyUnicode_New(header.length, header.maxChar);
      if (object === 0) {
        python._PyErr_Clear();
        drain(bytes);
        return undefined;
      }
      const address = object + (header.maxChar < 128 ? layout.ascii : layout.other);
      receive(python.HEAPU8, address, bytes);
      setItem(python, loadedDict, header.token, object);
      // A kept text is left out of snapshots, so it must stay where it is: our reference is never given back.
      if (!header.keep) python._Py_DecRef(object);
      return { token: header.token, address, bytes };
    },
    reload(range) {
      receive(python.HEAPU8, range.address, range.bytes);
    },
  };
}

function receive(heap: Uint8Array, address: number, bytes: number): void {
  let at = 0;
  while (at < bytes) {
    const got = readSome(FD.data, heap, address + at, bytes - at);
    if (got === 0) throw new Error('the text ended early');
    at += got;
  }
}

function drain(bytes: number): void {
  const sink = new Uint8Array(1024 * 1024);
  let at = 0;
  while (at < bytes) {
    const got = readSome(FD.data, sink, 0, Math.min(sink.length, bytes - at));
    if (got === 0) return;
    at += got;
  }
}

/** Finds the characters of two known strings in memory. */
function measureLayout(python: PyodideModule): StringLayout {
  return { ascii: offsetOf(python, [0x66, 0x74, 0x68, 0x6d]), other: offsetOf(python, [0xc3, 0xa4, 0x74, 0x68, 0x6d]) };
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
