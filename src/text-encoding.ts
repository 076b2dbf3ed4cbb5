/**
 * Encodings of text: their names, and decoding in pieces. All labels of the WHATWG Encoding Standard are known
 * (https://encoding.spec.whatwg.org/#names-and-labels). Bytes that are not text of an encoding become U+FFFD, never lone
 * surrogates, which no model could be sent.
 *
 * @module
 */

/** An encoding by its canonical name in the Encoding Standard, in lower case; `binary` for bytes as they are. */
export type TextEncoding = string;

/** Bytes as they are: on their way each is the character of its number. */
export const BINARY: TextEncoding = 'binary';

/** The encodings that Python decodes exactly as the host does: files in them reach the native REPL by descriptor. */
export const SHARED_ENCODINGS: ReadonlySet<TextEncoding> = new Set(['utf-8', 'utf-16le', 'utf-16be', BINARY]);

/** Usual spellings that the Encoding Standard does not list: Python's, and those with other marks between the letters. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['latin1', 'latin1'],
  ['cp1252', 'windows-1252'],
  ['utf16', 'utf-16le'],
  ['utf16le', 'utf-16le'],
  ['utf16be', 'utf-16be'],
  ['utf8', 'utf-8'],
  ['utf8sig', 'utf-8'],
  ['cp932', 'shift_jis'],
  ['cp936', 'gbk'],
  ['cp949', 'euc-kr'],
  ['cp950', 'big5'],
  ['cp866', 'ibm866'],
]);

/** The encoding a label names; undefined for an unknown one. */
export function encodingOfLabel(label: string): TextEncoding | undefined {
  const trimmed = label.trim().toLowerCase();
  return canonical(SPELLINGS.get(trimmed.replaceAll(/[-_ ]/g, '')) ?? trimmed);
}

function canonical(label: string): TextEncoding | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Decodes bytes that come in pieces. */
export interface TextDecoding {
  /** Text of a piece, as far as it is complete; surrogate pairs are never split between pieces. */
  push(bytes: Buffer): string;
  /** The rest. */
  end(): string;
}

/** A decoding from the beginning of a text, behind its byte-order mark. */
export function decodeText(encoding: TextEncoding): TextDecoding {
  if (encoding === 'utf-8') return pieces(completeUtf8, (bytes) => bytes.toString('utf8'));
  if (encoding === BINARY) {
    return pieces(
      (bytes) => bytes.length,
      (bytes) => bytes.toString('latin1'),
    );
  }
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  return {
    push: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => decoder.decode(),
  };
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

/** A whole text. */
export function decodeWhole(bytes: Buffer, encoding: TextEncoding): string {
  const decoding = decodeText(encoding);
  return decoding.push(bytes) + decoding.end();
}
