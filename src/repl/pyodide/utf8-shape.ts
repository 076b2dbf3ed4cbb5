/**
 * The shape of well-formed UTF-8 without decoding it: four bytes at a time.
 *
 * @module
 */

/** What a piece of UTF-8 holds. */
export interface Utf8Shape {
  /** Code points. */
  readonly length: number;
  /** 127, 255, 65535 or 1114111. */
  readonly maxChar: number;
}

const TOP = 0x80808080;

/** Looks at bytes that are well-formed UTF-8. */
export function shapeOfUtf8(bytes: Uint8Array): Utf8Shape {
  const head = Math.min(bytes.length, (4 - (bytes.byteOffset % 4)) % 4);
  const count = (bytes.length - head) >>> 2;
  const words = count === 0 ? new Uint32Array(0) : new Uint32Array(bytes.buffer, bytes.byteOffset + head, count);
  let continuing = 0;
  let any = 0;
  let beyondLatin1 = 0;
  let four = 0;
  for (let index = 0; index < count; index += 1) {
    const word = words[index] ?? 0;
    const high = word & TOP;
    if (high === 0) continue;
    any |= high;
    const second = (word << 1) & TOP;
    // 10xxxxxx continues a character.
    let continued = high & ~second;
    continued = (continued >>> 7) & 0x01010101;
    continuing += Math.imul(continued, 0x01010101) >>> 24;
    const lead = high & second;
    const third = lead & ((word << 2) & TOP);
    // 110xxx.. with one of the three: U+0100 and above; 1110.... and 11110... are beyond in any case.
    beyondLatin1 |= third | (lead & ((word << 3) | (word << 4) | (word << 5)) & TOP);
    four |= third & ((word << 3) & TOP);
  }
  const rest = shapeOfRest([bytes.subarray(0, head), bytes.subarray(head + count * 4)]);
  return {
    length: bytes.length - continuing - rest.continuing,
    maxChar: Math.max(rest.maxChar, classOf(any, beyondLatin1, four)),
  };
}

function classOf(any: number, beyondLatin1: number, four: number): number {
  if (four !== 0) return 0x10ffff;
  if (beyondLatin1 !== 0) return 0xffff;
  return any !== 0 ? 0xff : 127;
}

/** The bytes before and after the whole words. */
function shapeOfRest(pieces: readonly Uint8Array[]): { continuing: number; maxChar: number } {
  let continuing = 0;
  let maxChar = 127;
  for (const piece of pieces) {
    for (const byte of piece) {
      if (byte < 0x80) continue;
      if (byte < 0xc0) continuing += 1;
      maxChar = Math.max(maxChar, byte >= 0xf0 ? 0x10ffff : byte >= 0xc4 ? 0xffff : 0xff);
    }
  }
  return { continuing, maxChar };
}
