/**
 * Writes a conversion to the host as it grows: nothing of it is kept here but facts.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import type { JsonValue } from '../../repl/port.ts';
import type { Conversion, ConvertedMember, ConvertedTable, ConverterMessage } from '../conversion.ts';
import { ARCHIVES, type ConvertedKind } from '../kinds.ts';

/** Bytes that are collected before they are sent. */
const PIECE_BYTES = 256 * 1024;
/** Characters of a title, a name or a value in the facts of a file. */
const MOST_CHARS = 1_000;

/** Rows of one table. */
export interface TableOutput {
  row(values: readonly JsonValue[]): void;
  end(): void;
}

/** The conversion under way. */
export class Output {
  readonly #fd: number;
  #files = 0;
  #text: FileOutput | undefined;
  #characters = 0;
  #lines = 0;
  #endsLine = true;
  #pages: number[] | undefined;
  readonly #tables: ConvertedTable[] = [];
  readonly #members: ConvertedMember[] = [];
  readonly #notes: string[] = [];
  readonly meta: Record<string, JsonValue> = {};
  title: string | undefined;
  /** The kind of the file, where that is known only now. */
  kind: ConvertedKind | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Appends to the text of the document. */
  text(piece: string): void {
    if (piece === '') return;
    const text = piece.toWellFormed();
    this.#text ??= this.#open();
    this.#text.write(Buffer.from(text));
    for (const character of text) {
      this.#characters += 1;
      if (character === '\n') this.#lines += 1;
    }
    this.#endsLine = text.endsWith('\n');
  }

  /** A page begins here. */
  page(): void {
    this.#pages ??= [];
    this.#pages.push(this.#characters);
  }

  /** Rows are written one by one; `columns` may grow until the table ends. */
  table(name: string, columns: readonly string[]): TableOutput {
    const file = this.#open();
    let rows = 0;
    return {
      row(values) {
        file.write(Buffer.from(`${JSON.stringify(values).toWellFormed()}\n`));
        rows += 1;
      },
      end: () => {
        file.end();
        this.#tables.push({ name: shortened(name), columns: columns.map(shortened), rows, file: file.number });
      },
    };
  }

  /** A table whose parts are converted later, with the rows of each. */
  tableOfParts(name: string, columns: readonly string[], parts: readonly number[]): void {
    const rows = parts.reduce((sum, one) => sum + one, 0);
    this.#tables.push({ name: shortened(name), columns: columns.map(shortened), rows, parts });
  }

  /** A file within the file, written piece by piece. */
  member(facts: Omit<ConvertedMember, 'file'>): { write(bytes: Uint8Array): void; end(): void } {
    const file = this.#open();
    return {
      write: (bytes) => file.write(bytes),
      end: () => {
        file.end();
        this.#members.push({ ...facts, file: file.number });
      },
    };
  }

  note(clause: string): void {
    this.#notes.push(shortened(clause));
  }

  /** Facts that are present and say something. */
  facts(facts: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(facts)) {
      if (typeof value === 'string' && value.trim() !== '') this.meta[name] = shortened(value.trim());
      else if (typeof value === 'number' || typeof value === 'boolean') this.meta[name] = value;
      else if (value instanceof Date && !Number.isNaN(value.getTime())) this.meta[name] = value.toISOString();
    }
  }

  get tableCount(): number {
    return this.#tables.length;
  }

  done(kind: ConvertedKind): void {
    // A document without words has an empty text; an image and an archive have none.
    if (kind !== 'image' && !ARCHIVES.has(kind)) this.#text ??= this.#open();
    this.#text?.end();
    const { title } = this;
    const lines = this.#lines + (this.#endsLine ? 0 : 1);
    const conversion: Conversion = {
      kind: this.kind ?? kind,
      ...(title !== undefined && title.trim() !== '' && { title: shortened(title.trim()) }),
      meta: this.meta,
      ...(this.#text !== undefined && {
        text: { file: this.#text.number, characters: this.#characters, lines },
      }),
      ...(this.#pages !== undefined && { pages: this.#pages }),
      tables: this.#tables,
      members: this.#members,
      notes: this.#notes,
    };
    this.#send({ type: 'done', conversion });
  }

  refused(why: string): void {
    this.#send({ type: 'refused', why: shortened(why) });
  }

  #open(): FileOutput {
    this.#files += 1;
    const file = this.#files;
    this.#send({ type: 'piece', file });
    return new FileOutput(file, (bytes) => this.#send({ type: 'piece', file }, bytes));
  }

  #send(message: ConverterMessage, bytes: Uint8Array = new Uint8Array()): void {
    const json = Buffer.from(JSON.stringify(message).toWellFormed());
    const head = Buffer.alloc(8);
    head.writeUInt32LE(json.length, 0);
    head.writeUInt32LE(bytes.length, 4);
    writeAll(this.#fd, Buffer.concat([head, json, bytes]));
  }
}

/** One file, sent in pieces. */
class FileOutput {
  readonly number: number;
  readonly #send: (bytes: Uint8Array) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(number: number, send: (bytes: Uint8Array) => void) {
    this.number = number;
    this.#send = send;
  }

  write(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= PIECE_BYTES) this.end();
  }

  end(): void {
    if (this.#bytes > 0) this.#send(Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#bytes = 0;
  }
}

function shortened(text: string): string {
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS - 1).toWellFormed()}…`;
}

const NOTHING = new Int32Array(new SharedArrayBuffer(4));
/** Milliseconds between two looks whether a full pipe has room. */
const PIPE_WAIT_MS = 2;

/** A slow host holds the converter up, and nothing piles up here. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // Whether the pipe blocks depends on who has opened it; Node cannot wait for one that does not.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(NOTHING, 0, 0, PIPE_WAIT_MS);
    }
  }
}
