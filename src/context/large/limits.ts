/**
 * Limits of contexts that are larger than the REPL, each with its unit, its value and why it has it.
 *
 * @module
 */
import type { Limits } from '../../limits.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Share of `memoryBytes` that contexts may take as values of a REPL. A larger context is read on demand. Cells need the
 * rest: a text of a quarter, the list of its lines and a changed copy of it take about all of the memory.
 */
const LOADED_CONTEXT_SHARE = 0.25;

/** Bytes that contexts may take as values of a REPL; 512 MiB by default. */
export function loadedContextBytes({ memoryBytes }: Pick<Limits, 'memoryBytes'>): number {
  return Math.floor(memoryBytes * LOADED_CONTEXT_SHARE);
}

/** The part of that room which one text of a list may take: a cell has several of them at once. */
export const TEXT_SHARE = 0.25;
/** Bytes of a text of a list that is read whole, however large the room is. */
export const MOST_TEXT_BYTES: number = 64 * MIB;
/** Bytes of the rows of a converted table from which on they are read on demand: as dicts they take ten times as much. */
export const LAZY_TABLE_BYTES: number = 32 * MIB;

/** Bytes between two places of an index: a read at random decodes so many in vain. */
export const STEP_BYTES: number = 256 * KIB;
/** Places of an index at most: three numbers each, 3 MB. In a larger file they are further apart. */
export const MOST_PLACES = 131_072;
/** Bytes of a file from which on its facts are kept: to read it again takes longer than a blink. */
export const SCANNED_ONCE_BYTES: number = 64 * MIB;
/** Indexes of texts that are kept: a session has a few large files at a time. */
export const MOST_INDEXES = 64;
/** Milliseconds for which one request looks for records: a cell asks again, and can be stopped in between. */
export const INDEXING_MS = 2_000;

/** Characters or bytes of one reply of lines or records; the last of them may exceed it. Two replies may be under way. */
export const REPLY_BYTES: number = 2 * MIB;
/** Characters of the longest line, and bytes of the longest record, that is given as one. */
export const LONGEST_LINE: number = 16 * MIB;
/** Bytes of converted parts that one table keeps on disk; the one that was opened first goes first. */
export const KEPT_PART_BYTES: number = 512 * MIB;
