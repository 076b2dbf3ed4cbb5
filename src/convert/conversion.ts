/**
 * The result of a conversion, as the converter's process reports it and the cache keeps it.
 *
 * @module
 */
import type { JsonValue } from '../repl/port.ts';
import type { ConvertedKind } from './kinds.ts';

/** The findings of a converter. Contents are in files of their own, by number. */
export interface Conversion {
  readonly kind: ConvertedKind;
  readonly title?: string;
  /** Facts of the file itself: author, dates, width, … */
  readonly meta: Readonly<Record<string, JsonValue>>;
  readonly text?: ConvertedText;
  /** Where each page begins, in characters of the text. Absent for a kind without pages. */
  readonly pages?: readonly number[];
  readonly tables: readonly ConvertedTable[];
  readonly members: readonly ConvertedMember[];
  /** Clauses on what was left out, and why. */
  readonly notes: readonly string[];
}

/** Text in UTF-8. */
export interface ConvertedText {
  readonly file: number;
  /** Code points. */
  readonly characters: number;
  readonly lines: number;
}

/** A table: one JSON array per line, with the values of a row in the order of the columns. */
export interface ConvertedTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** Absent for a table of parts. */
  readonly file?: number;
  /**
   * The rows of each part of a large table. A part is converted when rows of it are read, into a conversion of its own with
   * this table alone.
   */
  readonly parts?: readonly number[];
}

/** A file within the file. */
export interface ConvertedMember {
  readonly path: string;
  readonly file: number;
  readonly title?: string;
  readonly meta?: Readonly<Record<string, JsonValue>>;
}

/** Messages of a converter: pieces of files, then the conversion, or a clause that says why there is none. */
export type ConverterMessage =
  | { readonly type: 'piece'; readonly file: number }
  | { readonly type: 'done'; readonly conversion: Conversion }
  | { readonly type: 'refused'; readonly why: string };

/** Bytes of the lengths before a message: those of its JSON and of the bytes that follow it, each as 32 bits. */
export const MESSAGE_HEAD_BYTES = 8;
