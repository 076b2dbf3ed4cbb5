/**
 * Takes the messages of a converter, which are untrusted: it has read a foreign file.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../argument-checks.ts';
import { type Conversion, MESSAGE_HEAD_BYTES } from './conversion.ts';
import { ConversionError } from './conversion-error.ts';
import { CONVERSION_BYTES, CONVERSION_FACTS_BYTES, CONVERSION_FILES } from './limits.ts';
import { readConversion } from './read-conversion.ts';

/** Bytes of one piece of a file. */
const PIECE_BYTES = 64 * 1024 * 1024;

/** Writes what a converter makes into a folder: each file under its number. */
export class ConversionWriter {
  readonly #folder: string;
  #waiting: Buffer = Buffer.alloc(0);
  #open: { readonly number: number; readonly fd: number } | undefined;
  #files = 0;
  #bytes = 0;
  #conversion: Conversion | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get isDone(): boolean {
    return this.#conversion !== undefined;
  }

  /** @throws ConversionError before the converter is done */
  get conversion(): Conversion {
    if (this.#conversion === undefined) throw new ConversionError('its converter gave no result');
    return this.#conversion;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws ConversionError where the file is refused, a limit is exceeded or the message is invalid */
  take(piece: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? piece : Buffer.concat([this.#waiting, piece]);
    for (;;) {
      if (this.#waiting.length < MESSAGE_HEAD_BYTES) return;
      const [json, body] = [this.#waiting.readUInt32LE(0), this.#waiting.readUInt32LE(4)];
      if (json > CONVERSION_FACTS_BYTES)
        throw new ConversionError(`its facts have ${json} bytes, and at most ${CONVERSION_FACTS_BYTES} are taken`);
      if (body > PIECE_BYTES) throw invalid();
      const end = MESSAGE_HEAD_BYTES + json + body;
      if (this.#waiting.length < end) return;
      const message = parsed(this.#waiting.subarray(MESSAGE_HEAD_BYTES, MESSAGE_HEAD_BYTES + json));
      this.#accept(message, this.#waiting.subarray(MESSAGE_HEAD_BYTES + json, end));
      this.#waiting = this.#waiting.subarray(end);
    }
  }

  /** Closes the file that is open. */
  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #accept(message: Readonly<Record<string, unknown>>, body: Buffer): void {
    switch (message.type) {
      case 'piece':
        this.#write(message.file, body);
        return;
      case 'done':
        this.#conversion = readConversion(message.conversion, this.#files);
        return;
      case 'refused':
        throw new ConversionError(typeof message.why === 'string' ? message.why.slice(0, 2_000) : 'it cannot be read');
      default:
        throw invalid();
    }
  }

  #write(file: unknown, body: Buffer): void {
    if (typeof file !== 'number' || !Number.isInteger(file) || file < 1 || file > this.#files + 1) throw invalid();
    this.#bytes += body.length;
    if (this.#bytes > CONVERSION_BYTES) {
      throw new ConversionError(
        `it unpacks to more than ${CONVERSION_BYTES} bytes, the limit for one file: unpack it yourself and give the part you need`,
      );
    }
    if (file > this.#files) this.#files = file;
    if (this.#files > CONVERSION_FILES) throw new ConversionError(`it holds more than ${CONVERSION_FILES} files`);
    if (this.#open?.number !== file) {
      this.close();
      this.#open = { number: file, fd: openSync(join(this.#folder, String(file)), 'a', 0o600) };
    }
    for (let at = 0; at < body.length; ) at += writeSync(this.#open.fd, body, at);
  }
}

function parsed(json: Buffer): Readonly<Record<string, unknown>> {
  try {
    const message: unknown = JSON.parse(json.toString('utf8'));
    if (isObject(message)) return message;
  } catch {
    // As below.
  }
  throw invalid();
}

function invalid(): ConversionError {
  return new ConversionError('its converter broke the rules of its channel');
}
