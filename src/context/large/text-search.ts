/**
 * Searches a large text for a literal, in its bytes: twenty times as fast as in a cell, which gets every character of it.
 *
 * @module
 */
import type { FileHandle } from 'node:fs/promises';
import type { FileValue } from '../../repl/port.ts';
import { readAt } from '../scan-file.ts';
import { openUnchanged, piecesFrom } from './large-file.ts';
import { INDEXING_MS } from './limits.ts';
import { countUtf8, isDirect, placeBefore, type TextIndex } from './text-index.ts';

/** Bytes that are searched at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** A part of a text, and a literal in UTF-8. */
export interface Search {
  readonly start: number;
  readonly stop: number;
  readonly wanted: Buffer;
  /** Only the first occurrence. */
  readonly first: boolean;
}

/** Occurrences that do not overlap, up to `next`, from where the search has to continue; null at its end. */
export interface SearchResult {
  /** Position of the first one in characters; null without one. */
  readonly at: number | null;
  readonly count: number;
  readonly next: number | null;
}

/** Searches a text in UTF-8 for some seconds at most. */
export async function searchText(file: FileValue, index: TextIndex, search: Search): Promise<SearchResult> {
  const { wanted, first } = search;
  await using handle = await openUnchanged(file);
  const text = { handle, file, index };
  const [begin, end] = [await byteOf(text, search.start), await byteOf(text, search.stop)];
  const until = performance.now() + INDEXING_MS;
  let [held, heldAt, found, count] = [Buffer.alloc(0), begin, -1, 0];
  for await (const piece of piecesFrom(handle, { begin, end, most: PIECE_BYTES })) {
    held = Buffer.concat([held, piece]);
    let done = 0;
    for (let at = held.indexOf(wanted); at !== -1; at = held.indexOf(wanted, done)) {
      if (found < 0) found = heldAt + at;
      if (first) return { at: await characterOf(text, found), count: 1, next: null };
      count += 1;
      done = at + wanted.length;
    }
    const cut = boundary(held, Math.max(done, held.length - wanted.length + 1));
    [held, heldAt] = [held.subarray(cut), heldAt + cut];
    if (performance.now() > until) {
      return { at: found < 0 ? null : await characterOf(text, found), count, next: await characterOf(text, heldAt) };
    }
  }
  return { at: found < 0 ? null : await characterOf(text, found), count, next: null };
}

/** The last place at or before a byte at which a character begins. */
function boundary(bytes: Buffer, at: number): number {
  let place = Math.max(0, Math.min(at, bytes.length));
  while (place > 0 && place < bytes.length && ((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}

interface OpenText {
  readonly handle: FileHandle;
  readonly file: FileValue;
  readonly index: TextIndex;
}

async function characterOf({ handle, file, index }: OpenText, byte: number): Promise<number> {
  const place = placeBefore(index.bytes, byte);
  const [bytes, characters] = [index.bytes[place] ?? 0, index.characters[place] ?? 0];
  if (isDirect(file, index, place)) return characters + byte - bytes;
  return characters + countUtf8(await readAt(handle, bytes, byte - bytes));
}

async function byteOf({ handle, file, index }: OpenText, character: number): Promise<number> {
  if (character >= index.length) return file.bytes;
  const place = placeBefore(index.characters, character);
  const [bytes, characters] = [index.bytes[place] ?? 0, index.characters[place] ?? 0];
  if (isDirect(file, index, place)) return bytes + character - characters;
  const next = index.bytes[place + 1] ?? file.bytes;
  const part = await readAt(handle, bytes, next - bytes);
  let left = character - characters;
  for (let at = 0; at < part.length; at += 1) {
    if (((part[at] ?? 0) & 0xc0) === 0x80) continue;
    if (left === 0) return bytes + at;
    left -= 1;
  }
  return next;
}
