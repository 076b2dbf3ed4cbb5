/**
 * Texts in the form CPython keeps them: one, two or four bytes per code point, whichever the largest needs. The host
 * brings them into that form, so that the child reads them straight to their place.
 *
 * @module
 */
import { isAscii, isUtf8 } from 'node:buffer';

/** How a text lies in Python's memory. */
export interface TextShape {
  /** Code points. */
  readonly length: number;
  readonly unit: 1 | 2 | 4;
  /** 127, 255, 65535 or 1114111. */
  readonly maxChar: number;
}

/** Finds the shape of a text that comes in pieces; surrogate pairs are never split between pieces. */
export interface ShapeFinder {
  add(piece: string): void;
  readonly shape: TextShape;
}

const PAIR = /[\ud800-\udbff][\udc00-\udfff]/;
const BEYOND_LATIN1 = /[\u0100-\uffff]/;
const BEYOND_ASCII = /[\u0080-\uffff]/;

/** A finder for one text. */
export function findShape(): ShapeFinder {
  let length = 0;
  let maxChar = 127;
  return {
    add(piece) {
      length += piece.length;
      if (maxChar < 0x80 && BEYOND_ASCII.test(piece)) maxChar = 0xff;
      if (maxChar === 0xff && BEYOND_LATIN1.test(piece)) maxChar = 0xffff;
      if (maxChar >= 0xffff && PAIR.test(piece)) {
        maxChar = 0x10ffff;
        length -= countPairs(piece);
      }
    },
    get shape() {
      return { length, unit: unitOf(maxChar), maxChar };
    },
  };
}

function countPairs(piece: string): number {
  let pairs = 0;
  for (let at = 0; at < piece.length - 1; at += 1) {
    const unit = piece.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = piece.charCodeAt(at + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    pairs += 1;
    at += 1;
  }
  return pairs;
}

function unitOf(maxChar: number): TextShape['unit'] {
  if (maxChar < 0x100) return 1;
  return maxChar < 0x10000 ? 2 : 4;
}

/** A piece as the bytes CPython keeps. */
export function encodeUnits(piece: string, unit: TextShape['unit']): Buffer {
  if (unit === 1) return Buffer.from(piece, 'latin1');
  if (unit === 2) return Buffer.from(piece, 'utf16le');
  const points = new Uint32Array(piece.length);
  let count = 0;
  for (let at = 0; at < piece.length; at += 1) {
    const point = piece.codePointAt(at) ?? 0;
    points[count] = point;
    count += 1;
    if (point > 0xffff) at += 1;
  }
  return Buffer.from(points.buffer, 0, count * 4);
}

/** Takes bytes of a file apart into text, piece by piece. */
export interface TextDecoding {
  /** Text of a piece, as far as it is complete. */
  push(bytes: Buffer): string;
  /** The rest. */
  end(): string;
}

/**
 * Decodes as Python does with `surrogateescape` for UTF-8 and `surrogatepass` for UTF-16: nothing is lost, and nothing
 * is an error.
 */
export function decodeText(encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin-1'): TextDecoding {
  if (encoding === 'utf-8') return pieces(completeUtf8, decodeUtf8);
  if (encoding === 'latin-1')
    return pieces(
      (bytes) => bytes.length,
      (bytes) => bytes.toString('latin1'),
    );
  return pieces(encoding === 'utf-16le' ? completeUtf16(1) : completeUtf16(0), (bytes) =>
    (encoding === 'utf-16le' ? bytes : Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()).toString('utf16le'),
  );
}

function pieces(complete: (bytes: Buffer) => number, decode: (bytes: Buffer) => string): TextDecoding {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const end = complete(all);
      rest = Buffer.from(all.subarray(end));
      return decode(all.subarray(0, end));
    },
    end: () => decode(rest),
  };
}

/** Bytes up to the last character that has certainly ended. */
export function completeUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue;
    const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return back < size ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Bytes up to the last code unit that is no first half of a pair; `high` is the place of its high byte. */
function completeUtf16(high: 0 | 1): (bytes: Buffer) => number {
  return (bytes) => {
    const even = bytes.length & ~1;
    const last = even >= 2 ? (bytes[even - 2 + high] ?? 0) : 0;
    return last >= 0xd8 && last < 0xdc ? even - 2 : even;
  };
}

function decodeUtf8(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : decodeEscaping(bytes);
}

/** UTF-8 in which a byte that belongs to no character becomes U+DC00 + byte. */
function decodeEscaping(bytes: Buffer): string {
  const out: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = sequenceAt(bytes, at);
    if (size > 0) {
      at += size;
      continue;
    }
    out.push(bytes.toString('utf8', start, at), String.fromCharCode(0xdc00 + (bytes[at] ?? 0)));
    at += 1;
    start = at;
  }
  out.push(bytes.toString('utf8', start));
  return out.join('');
}

/** Bytes of the well-formed sequence at a place (Unicode table 3-7); 0 when there is none. */
function sequenceAt(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const size =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > bytes.length) return 0;
  const second = bytes[at + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let index = 2; index < size; index += 1) {
    const byte = bytes[at + index] ?? 0;
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return size;
}
