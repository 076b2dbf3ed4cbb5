/**
 * The records of a large file by number. Where they are is found while they are asked for, and kept.
 *
 * @module
 */
import type { ConvertedFile } from '../../convert/convert-file.ts';
import type { FileValue } from '../../repl/port.ts';
import { decodeWhole } from '../../text-encoding.ts';
import { openUnchanged, piecesFrom } from './large-file.ts';
import { INDEXING_MS, LONGEST_LINE, REPLY_BYTES } from './limits.ts';
import { type RecordForm, RecordSplitter } from './record-splitter.ts';
import { placeBefore, stepOf } from './text-index.ts';
import { TooLong } from './text-reader.ts';

/** Bytes that are read at once. */
const PIECE_BYTES = 1024 * 1024;

/** Some records. */
export interface Records {
  readonly records: readonly string[];
  /** Records of the file; null while they are being counted. */
  readonly total: number | null;
}

/** Records of one file, which is in UTF-8 or in an encoding that has ASCII as it is. */
export class RecordFile {
  readonly #file: FileValue;
  readonly #form: RecordForm;
  readonly #step: number;
  readonly #places: { readonly bytes: number[]; readonly records: number[] };
  /** Where the index ends: behind a record. */
  #indexed: number;
  #known = 0;
  #done = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(file: FileValue, form: RecordForm) {
    this.#file = file;
    this.#form = form;
    this.#step = stepOf(file.bytes);
    this.#indexed = file.skip;
    this.#places = { bytes: [file.skip], records: [0] };
  }

  /**
   * Records from `start` on, up to `stop`: fewer where they are long. None, with a total of null, says to ask again.
   *
   * @throws TooLong, FileChanged
   */
  async read(start: number, stop: number): Promise<Records> {
    if (!this.#done && this.#known < stop) {
      const extending = this.#turn.then(() => this.#extend(stop));
      this.#turn = extending.catch(() => undefined);
      await extending;
    }
    const total = this.#done ? this.#known : null;
    const last = Math.min(stop, this.#known);
    return { records: start < last ? await this.#records(start, last) : [], total };
  }

  /** Makes the index longer, until it has `wanted` records or time is up. */
  async #extend(wanted: number): Promise<void> {
    const until = performance.now() + INDEXING_MS;
    const from = this.#indexed;
    const { bytes, records } = this.#places;
    const splitter = new RecordSplitter(this.#form, this.#indexed);
    let known = this.#known;
    const count = (): boolean => {
      known += 1;
      return false;
    };
    await using handle = await openUnchanged(this.#file);
    for await (const piece of piecesFrom(handle, { begin: this.#indexed, end: this.#file.bytes, most: PIECE_BYTES })) {
      splitter.push(piece, count);
      if (splitter.begin > this.#indexed) [this.#indexed, this.#known] = [splitter.begin, known];
      if (this.#indexed - (bytes.at(-1) ?? 0) >= this.#step) {
        bytes.push(this.#indexed);
        records.push(this.#known);
      }
      // A record in which the time is up has to end first: the next request would begin with it again.
      if (this.#known >= wanted || (this.#indexed > from && performance.now() > until)) return;
    }
    splitter.finish(count);
    [this.#known, this.#done] = [known, true];
  }

  async #records(start: number, stop: number): Promise<readonly string[]> {
    const place = placeBefore(this.#places.records, start);
    const begin = this.#places.bytes[place] ?? 0;
    const cutter = new RecordCutter({ form: this.#form, begin, number: this.#places.records[place] ?? 0, start, stop });
    await using handle = await openUnchanged(this.#file);
    for await (const piece of piecesFrom(handle, { begin, end: this.#file.bytes, most: PIECE_BYTES / 4 })) {
      if (cutter.add(piece)) break;
    }
    cutter.end();
    return cutter.records.map((record) => decodeWhole(record, this.#file.encoding));
  }
}

/** A file of a conversion. */
export function madeFile(converted: ConvertedFile, file: number): FileValue {
  const facts = { encoding: 'utf-8', skip: 0, as: 'text' } as const;
  return { kind: 'file', path: converted.path(file), bytes: converted.bytes(file), ...facts };
}

/** Cuts records `start` to `stop` out of bytes that begin with the record `number`. */
class RecordCutter {
  readonly records: Buffer[] = [];
  readonly #splitter: RecordSplitter;
  readonly #start: number;
  readonly #stop: number;
  #number: number;
  #held: Buffer = Buffer.alloc(0);
  #heldAt: number;
  #bytes = 0;
  #full = false;

  constructor(wanted: {
    readonly form: RecordForm;
    readonly begin: number;
    readonly number: number;
    readonly start: number;
    readonly stop: number;
  }) {
    this.#splitter = new RecordSplitter(wanted.form, wanted.begin);
    [this.#number, this.#start, this.#stop, this.#heldAt] = [wanted.number, wanted.start, wanted.stop, wanted.begin];
  }

  /** True when there are enough. The piece is not kept. @throws TooLong */
  add(piece: Buffer): boolean {
    this.#held = Buffer.concat([this.#held, piece]);
    this.#splitter.push(this.#held.subarray(this.#held.length - piece.length), (begin, end) => this.#take(begin, end));
    const open = Math.min(this.#splitter.begin - this.#heldAt, this.#held.length);
    this.#held = this.#held.subarray(Math.max(0, open));
    this.#heldAt += Math.max(0, open);
    if (this.#held.length > LONGEST_LINE && this.records.length > 0) this.#full = true;
    else if (this.#held.length > LONGEST_LINE)
      throw new TooLong(
        `row ${this.#number} (counted from 0) has more than ${LONGEST_LINE} bytes: a quotation mark may be open`,
      );
    return this.#full;
  }

  end(): void {
    if (!this.#full) this.#splitter.finish((begin, end) => this.#take(begin, end));
  }

  #take(begin: number, end: number): boolean {
    if (this.#number >= this.#start) {
      const record = this.#held.subarray(begin - this.#heldAt, end - this.#heldAt);
      this.records.push(record);
      this.#bytes += record.length;
    }
    this.#number += 1;
    this.#full = this.#number >= this.#stop || this.#bytes >= REPLY_BYTES;
    return this.#full;
  }
}
