/**
 * Texts in the form CPython keeps them: one, two or four bytes per code point, whichever the largest needs. The host
 * brings them into that form, so that the worker reads them straight to their place.
 *
 * @module
 */

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
