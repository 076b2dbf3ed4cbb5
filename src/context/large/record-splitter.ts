/**
 * Finds the records of JSON Lines and of CSV in bytes that come in pieces.
 *
 * @module
 */

/** How records are written. */
export type RecordForm =
  /** One to a line, without lines of blanks. */
  | { readonly kind: 'lines' }
  /** Cells in quotation marks may hold line feeds; empty lines do not count. `delimiter`: one ASCII character. */
  | { readonly kind: 'csv'; readonly delimiter: string };

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;

/** Takes the bytes of records in order, from the beginning of one. Positions are those of the file. */
export class RecordSplitter {
  readonly #csv: boolean;
  readonly #delimiter: number;
  #at: number;
  #begin: number;
  #quoted = false;
  /** Behind the last closing mark: another one there is a mark of the cell. */
  #closed = -1;
  #last = LINE_FEED;
  #blank = true;

  constructor(form: RecordForm, begin: number) {
    this.#csv = form.kind === 'csv';
    this.#delimiter = form.kind === 'csv' ? form.delimiter.charCodeAt(0) : LINE_FEED;
    this.#at = begin;
    this.#begin = begin;
  }

  /** Where the record begins that has not ended. */
  get begin(): number {
    return this.#begin;
  }

  /** Calls back for each record that ends in the piece: its first byte, and the line feed behind its last. Stops at true. */
  push(piece: Buffer, onRecord: (begin: number, end: number) => boolean): void {
    let [at, quote, feed] = [0, -1, -1];
    const next = (sign: number, known: number): number => {
      if (known >= at) return known;
      const found = piece.indexOf(sign, at);
      return found === -1 ? piece.length : found;
    };
    while (at < piece.length) {
      if (this.#csv) quote = next(QUOTE, quote);
      else quote = piece.length;
      if (this.#quoted) {
        at = this.#unquote(quote, piece.length);
        continue;
      }
      feed = next(LINE_FEED, feed);
      if (quote < feed) {
        this.#quoted = this.#opens(piece, quote);
        this.#blank = false;
        at = quote + 1;
        continue;
      }
      this.#look(piece, at, feed);
      at = feed + 1;
      if (feed < piece.length && this.#end(this.#at + feed, onRecord)) break;
    }
    this.#last = piece.at(-1) ?? this.#last;
    this.#at += piece.length;
  }

  /** The last record of a file has no line feed. */
  finish(onRecord: (begin: number, end: number) => boolean): void {
    if (this.#begin < this.#at) this.#end(this.#at, onRecord);
  }

  #unquote(quote: number, length: number): number {
    if (quote >= length) return length;
    this.#quoted = false;
    this.#closed = this.#at + quote + 1;
    return quote + 1;
  }

  /** A mark opens a cell only where the cell begins, and continues one where it follows its closing mark. */
  #opens(piece: Buffer, quote: number): boolean {
    const position = this.#at + quote;
    const before = quote === 0 ? this.#last : piece[quote - 1];
    return position === this.#closed || position === this.#begin || before === this.#delimiter;
  }

  #look(piece: Buffer, from: number, to: number): void {
    for (let at = from; this.#blank && at < to; at += 1) {
      const byte = piece[at];
      this.#blank = byte === RETURN || (!this.#csv && (byte === 0x20 || byte === 0x09));
    }
  }

  #end(feed: number, onRecord: (begin: number, end: number) => boolean): boolean {
    const [begin, blank] = [this.#begin, this.#blank];
    [this.#begin, this.#blank] = [feed + 1, true];
    return !blank && onRecord(begin, feed);
  }
}
