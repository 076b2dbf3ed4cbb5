/**
 * Where characters and lines of a large file are: some places of it, from which it can be read without what is before them.
 *
 * @module
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { countCharacters } from '../../code-points.ts';
import type { FileValue } from '../../repl/port.ts';
import { completeUtf8, type TextDecoding, type TextEncoding } from '../../text-encoding.ts';
import { MOST_PLACES, STEP_BYTES } from './limits.ts';

const LINE_FEED = 0x0a;

/** Places of a file in ascending order: the byte where each is, and the characters and line feeds before it. */
export interface TextIndex {
  readonly bytes: readonly number[];
  readonly characters: readonly number[];
  readonly feeds: readonly number[];
  /** Code points of the whole text. */
  readonly length: number;
  /** Lines of the whole text: each that a line feed ends, and a last one without. */
  readonly lines: number;
  /** All of it is valid UTF-8. */
  readonly utf8: boolean;
}

/** Bytes between two places of the index of a file of so many bytes. */
export function stepOf(bytes: number): number {
  return STEP_BYTES * Math.max(1, Math.ceil(bytes / STEP_BYTES / MOST_PLACES));
}

/** Counts a text that comes in pieces, and notes the places of its index. */
export class TextIndexBuilder {
  readonly #step: number;
  readonly #places: { readonly bytes: number[]; readonly characters: number[]; readonly feeds: number[] };
  #byte: number;
  #length = 0;
  #feeds = 0;
  #open = false;
  #utf8 = true;

  /** `skip`: bytes of the mark before the text. */
  constructor(bytes: number, skip: number) {
    this.#step = stepOf(bytes);
    this.#places = { bytes: [skip], characters: [0], feeds: [0] };
    this.#byte = skip;
  }

  get index(): TextIndex {
    const lines = this.#feeds + (this.#open ? 1 : 0);
    return { ...this.#places, length: this.#length, lines, utf8: this.#utf8 };
  }

  /** Whole characters of UTF-8. False for bytes that are not UTF-8. */
  addUtf8(piece: Buffer): boolean {
    const ascii = isAscii(piece);
    if (!ascii && !isUtf8(piece)) return false;
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + this.#step);
      const end = ascii || at + part.length === piece.length ? part.length : completeUtf8(part);
      const whole = part.subarray(0, end);
      this.#place();
      this.#count(whole, ascii ? end : countUtf8(whole));
      at += end;
    }
    return true;
  }

  /** Bytes of another encoding, through the decoding of all of them. Gives their text. */
  *addDecoded(piece: Buffer, encoding: TextEncoding, decoding: TextDecoding): Generator<string> {
    this.#utf8 = false;
    const cut = cutBefore(piece, encoding, this.#byte);
    if (cut > 0) {
      yield this.#decoded(piece.subarray(0, cut), decoding);
      // The decoding holds nothing back here: it can begin again.
      this.#place();
    }
    if (cut < piece.length) yield this.#decoded(piece.subarray(cut), decoding);
  }

  /** The rest of the text. */
  end(rest: string): void {
    this.#text(rest);
  }

  #decoded(part: Buffer, decoding: TextDecoding): string {
    const text = decoding.push(part);
    this.#byte += part.length;
    this.#text(text);
    return text;
  }

  #place(): void {
    const { bytes, characters, feeds } = this.#places;
    if (this.#byte - (bytes.at(-1) ?? 0) < this.#step) return;
    bytes.push(this.#byte);
    characters.push(this.#length);
    feeds.push(this.#feeds);
  }

  #count(bytes: Buffer, characters: number): void {
    if (bytes.length === 0) return;
    this.#byte += bytes.length;
    this.#length += characters;
    this.#feeds += feedsIn(bytes, LINE_FEED);
    this.#open = bytes.at(-1) !== LINE_FEED;
  }

  #text(text: string): void {
    if (text === '') return;
    this.#length += countCharacters(text);
    this.#feeds += feedsIn(text, '\n');
    this.#open = !text.endsWith('\n');
  }
}

/** Characters of valid UTF-8. */
export function countUtf8(bytes: Buffer): number {
  let characters = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) characters += 1;
  return characters;
}

function feedsIn<T>(piece: { indexOf(feed: T, from?: number): number }, feed: T): number {
  let feeds = 0;
  for (let at = piece.indexOf(feed); at !== -1; at = piece.indexOf(feed, at + 1)) feeds += 1;
  return feeds;
}

/** Encodings in which each byte is a character. */
const SINGLE_BYTE = /^(?:windows-|iso-8859|koi8|macintosh|x-mac|ibm866|binary)/;

/** Whether each byte of a span of as many characters as bytes is one of its characters. */
function countsBytes(encoding: TextEncoding): boolean {
  return encoding === 'utf-8' || SINGLE_BYTE.test(encoding);
}

/**
 * Bytes of a piece before the last place at which a decoding can begin: the end of its last line feed, or with one byte per
 * character its own end. 0: the piece has no such place.
 */
function cutBefore(piece: Buffer, encoding: TextEncoding, position: number): number {
  if (SINGLE_BYTE.test(encoding)) return piece.length;
  // No encoding of the standard has the byte of a line feed within another character.
  if (!encoding.startsWith('utf-16')) return piece.lastIndexOf(LINE_FEED) + 1;
  const high = encoding === 'utf-16le' ? 1 : 0;
  const first = position % 2;
  for (let at = piece.length - 2 - ((piece.length - first) % 2); at >= first; at -= 2) {
    const isFeed = piece[at + high] === 0 && piece[at + 1 - high] === LINE_FEED;
    if (isFeed) return at + 2;
  }
  return 0;
}

/** The last place at or before a position: `below` in ascending order, which begins at or before it. */
export function placeBefore(places: readonly number[], position: number): number {
  let [low, high] = [0, places.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((places[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Whether each byte behind a place is a character, up to the next one. */
export function isDirect({ encoding, bytes }: FileValue, index: TextIndex, place: number): boolean {
  const characters = (index.characters[place + 1] ?? index.length) - (index.characters[place] ?? 0);
  return countsBytes(encoding) && characters === (index.bytes[place + 1] ?? bytes) - (index.bytes[place] ?? 0);
}
