/**
 * A text file by character and by line, without reading what is before them.
 *
 * @module
 */
import { codePoints, countCharacters } from '../../code-points.ts';
import type { FileValue } from '../../repl/port.ts';
import { decodeText } from '../../text-encoding.ts';
import { scanFile } from '../scan-file.ts';
import { openUnchanged, piecesFrom } from './large-file.ts';
import { LONGEST_LINE, MOST_INDEXES, REPLY_BYTES } from './limits.ts';
import { isDirect, placeBefore, type TextIndex } from './text-index.ts';

/** Bytes that are read at once. */
const PIECE_BYTES = 256 * 1024;

/** A line or a record that is too long to be given as one. The message is a clause. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/** Reads of a text file. */
export interface TextReader {
  readonly index: TextIndex;
  /** Code points `start` to `stop`. */
  slice(start: number, stop: number): Promise<string>;
  /** Lines from `start` on without their ends, up to `stop`: fewer where they are long, one at least. */
  lines(start: number, stop: number): Promise<readonly string[]>;
}

/** Indexes of files by device, number, size and time: a file is scanned once. The oldest goes first. */
const indexes = new Map<string, TextIndex>();

/** Keeps the index of a file that was scanned. */
export function keepIndex(file: FileValue, index: TextIndex): void {
  indexes.set(keyOf(file), index);
  const [oldest] = indexes.keys();
  if (indexes.size > MOST_INDEXES && oldest !== undefined) indexes.delete(oldest);
}

function keyOf({ path, bytes, modified, encoding, skip }: FileValue): string {
  return JSON.stringify([path, bytes, modified, encoding, skip]);
}

/** Reads a text file by its index, which is made where it was not scanned before. */
export async function readText(file: FileValue): Promise<TextReader> {
  const index = indexes.get(keyOf(file)) ?? (await scan(file));
  keepIndex(file, index);
  return {
    index,
    slice: (start, stop) => slice({ file, index, start, stop }),
    lines: (start, stop) => lines({ file, index, start, stop }),
  };
}

async function scan(file: FileValue): Promise<TextIndex> {
  await using handle = await openUnchanged(file);
  const facts = await scanFile(handle, file.bytes, file.encoding);
  if (facts.is !== 'text') throw new Error('it is not text');
  const { characters: length, lines, skip, index } = facts;
  return index ?? { bytes: [skip], characters: [0], feeds: [0], length, lines, utf8: false };
}

interface Wanted {
  readonly file: FileValue;
  readonly index: TextIndex;
  readonly start: number;
  readonly stop: number;
}

async function slice({ file, index, start, stop }: Wanted): Promise<string> {
  let left = Math.min(stop, index.length) - start;
  if (left <= 0) return '';
  const place = placeBefore(index.characters, start);
  let ahead = start - (index.characters[place] ?? 0);
  let begin = index.bytes[place] ?? 0;
  if (isDirect(file, index, place)) [begin, ahead] = [begin + ahead, 0];
  await using handle = await openUnchanged(file);
  const decoding = decodeText(file.encoding);
  const taken: string[] = [];
  const take = (text: string): void => {
    const characters = countCharacters(text);
    const part =
      ahead >= characters ? '' : ahead === 0 && left >= characters ? text : codePoints(text).slice(ahead, ahead + left);
    left -= Math.max(0, Math.min(characters - ahead, left));
    ahead = Math.max(0, ahead - characters);
    taken.push(part);
  };
  const most = Math.min(PIECE_BYTES, 4 * (ahead + left));
  for await (const piece of piecesFrom(handle, { begin, end: file.bytes, most })) {
    take(decoding.push(piece));
    if (left === 0) return taken.join('');
  }
  take(decoding.end());
  return taken.join('');
}

async function lines({ file, index, start, stop }: Wanted): Promise<readonly string[]> {
  const last = Math.min(stop, index.lines);
  if (start >= last) return [];
  // Line n begins behind the nth line feed: a place with fewer before it is before that.
  const place = start === 0 ? 0 : placeBefore(index.feeds, start - 1);
  const collected = new LineCollector(index.feeds[place] ?? 0, start, last);
  await using handle = await openUnchanged(file);
  const decoding = decodeText(file.encoding);
  for await (const piece of piecesFrom(handle, {
    begin: index.bytes[place] ?? 0,
    end: file.bytes,
    most: PIECE_BYTES,
  })) {
    if (collected.add(decoding.push(piece))) return collected.lines;
  }
  if (!collected.add(decoding.end())) collected.end();
  return collected.lines;
}

class LineCollector {
  readonly lines: string[] = [];
  readonly #start: number;
  readonly #stop: number;
  #line: number;
  #open: string[] = [];
  #openChars = 0;
  #chars = 0;

  constructor(line: number, start: number, stop: number) {
    [this.#line, this.#start, this.#stop] = [line, start, stop];
  }

  /** True when there are enough. @throws TooLong */
  add(text: string): boolean {
    let at = 0;
    for (let feed = text.indexOf('\n'); feed !== -1; feed = text.indexOf('\n', at)) {
      if (!this.#part(text, at, feed) || this.#close()) return true;
      at = feed + 1;
    }
    return !this.#part(text, at, text.length);
  }

  /** The last line has no line feed. */
  end(): void {
    if (this.#line < this.#stop) this.#close();
  }

  /** False for a line that is too long, behind others that are given. */
  #part(text: string, from: number, to: number): boolean {
    if (this.#line < this.#start || from === to) return true;
    this.#openChars += to - from;
    if (this.#openChars > LONGEST_LINE && this.lines.length > 0) return false;
    if (this.#openChars > LONGEST_LINE)
      throw new TooLong(
        `line ${this.#line} (counted from 0) has more than ${LONGEST_LINE} characters: use slices of the text`,
      );
    this.#open.push(text.slice(from, to));
    return true;
  }

  #close(): boolean {
    if (this.#line >= this.#start) {
      const line = this.#open.join('');
      this.lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
      this.#chars += this.#openChars;
    }
    [this.#open, this.#openChars] = [[], 0];
    this.#line += 1;
    return this.#line >= this.#stop || this.#chars >= REPLY_BYTES;
  }
}
