/**
 * Finds the kind and encoding of a file. It reads the file from beginning to end, piece by piece, so that the facts
 * hold for the whole file and not only for its first bytes.
 *
 * @module
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { countLines } from '../code-points.ts';
import { BINARY, completeUtf8, decodeText, type TextEncoding } from '../text-encoding.ts';
import { type BinaryKind, isBinary, magicKind, UNKNOWN_BINARY, ZIP_TAIL_BYTES, zipKind } from './file-kinds.ts';
import {
  byteOrderMark,
  declaredEncoding,
  escapedEncoding,
  guessEncoding,
  SAMPLE_BYTES,
  unmarkedUtf16,
} from './guess-encoding.ts';
import { countUtf8, type TextIndex, TextIndexBuilder } from './large/text-index.ts';

/** How an encoding was found. */
export type EncodingSource = 'named' | 'marked' | 'valid' | 'declared' | 'guessed';

/** The kind of a file, with its encoding and size. */
export type FileFacts =
  | {
      readonly is: 'text';
      readonly encoding: TextEncoding;
      readonly source: EncodingSource;
      /** Bytes of byte-order mark. */
      readonly skip: number;
      readonly bytes: number;
      /** Code points, as `len` counts them. */
      readonly characters: number;
      /** Lines that end with a line feed, and a last one without. */
      readonly lines: number;
      /** Some bytes are not text of this encoding: they read as U+FFFD. */
      readonly replaced: boolean;
      /** Where its characters and lines are; absent for a small file. */
      readonly index?: TextIndex;
    }
  | { readonly is: 'binary'; readonly kind: BinaryKind; readonly bytes: number };

const PIECE = 1024 * 1024;
const REPLACEMENT = '\ufffd';

/** @param named the encoding the caller gave; `utf-16` in either order is as marked */
export async function scanFile(handle: FileHandle, bytes: number, named: TextEncoding | undefined): Promise<FileFacts> {
  const sample = await readAt(handle, 0, Math.min(bytes, SAMPLE_BYTES));
  // Most files are small: they are read once.
  const file = sample.length === bytes ? sample : handle;
  if (named === BINARY) {
    return { is: 'binary', kind: await refined(magicKind(sample, false) ?? UNKNOWN_BINARY, file, bytes), bytes };
  }
  const mark = byteOrderMark(sample);
  if (named !== undefined) {
    const marked = named.startsWith('utf-16') && mark?.encoding.startsWith('utf-16') ? mark.encoding : named;
    return await textFacts(file, { bytes, source: 'named', encoding: marked, skip: skipOf(mark, marked) });
  }
  const utf8 = await readUtf8(file, bytes, mark?.encoding === 'utf-8' ? mark.bytes : 0);
  const magic = magicKind(sample, utf8 !== undefined);
  if (magic !== undefined) return { is: 'binary', kind: await refined(magic, file, bytes), bytes };
  if (mark !== undefined && (mark.encoding !== 'utf-8' || utf8 === undefined)) {
    return await textFacts(file, { bytes, source: 'marked', encoding: mark.encoding, skip: mark.bytes });
  }
  const utf16 = sample.includes(0) ? unmarkedUtf16(sample) : undefined;
  if (utf16 !== undefined) return await textFacts(file, { bytes, source: 'guessed', encoding: utf16, skip: 0 });
  if (isBinary(sample, utf8 !== undefined)) return { is: 'binary', kind: UNKNOWN_BINARY, bytes };
  const other = otherEncoding(sample, utf8);
  if (other === undefined && utf8 !== undefined) {
    const source = mark === undefined ? 'valid' : 'marked';
    const facts = { encoding: 'utf-8', source, skip: mark?.bytes ?? 0, bytes, replaced: false } as const;
    return { is: 'text', ...facts, ...counted(utf8.index, bytes) };
  }
  return await textFacts(file, { bytes, skip: 0, ...(other ?? { ...(await guessed(file, bytes, sample)) }) });
}

/**
 * The facts of a small file in plain UTF-8, as nearly all are, from its bytes; undefined where {@link scanFile} is
 * needed. Both give the same facts.
 */
export function scanPlain(bytes: Buffer): FileFacts | undefined {
  if (bytes.length > SAMPLE_BYTES || !isUtf8(bytes) || bytes.includes(0)) return undefined;
  if (byteOrderMark(bytes) !== undefined || magicKind(bytes, true) !== undefined || isBinary(bytes, true))
    return undefined;
  const ascii = isAscii(bytes);
  if (ascii && escapedEncoding(bytes) !== undefined) return undefined;
  const characters = ascii ? bytes.length : countUtf8(bytes);
  const lines = countLines(bytes);
  return {
    is: 'text',
    encoding: 'utf-8',
    source: 'valid',
    skip: 0,
    bytes: bytes.length,
    characters,
    lines,
    replaced: false,
  };
}

interface Found {
  readonly source: EncodingSource;
  readonly encoding: TextEncoding;
}

function otherEncoding(sample: Buffer, utf8: Utf8Facts | undefined): Found | undefined {
  if (utf8 !== undefined) {
    const escaped = utf8.ascii ? escapedEncoding(sample) : undefined;
    return escaped === undefined ? undefined : { source: 'guessed', encoding: escaped };
  }
  const declared = declaredEncoding(sample);
  return declared === undefined ? undefined : { source: 'declared', encoding: declared };
}

/** By a sample that holds what is not ASCII: it may begin behind megabytes of ASCII. */
async function guessed(file: Source, bytes: number, sample: Buffer): Promise<Found> {
  let telling = sample;
  for (let position = 0; isAscii(telling) && position < bytes; position += SAMPLE_BYTES) {
    telling = await readAt(file, position, SAMPLE_BYTES);
  }
  return { source: 'guessed', encoding: guessEncoding(telling) };
}

async function refined(kind: BinaryKind, file: Source, bytes: number): Promise<BinaryKind> {
  const length = Math.min(bytes, ZIP_TAIL_BYTES);
  return zipKind(kind, await readAt(file, bytes - length, length), await readAt(file, 0, 256));
}

function skipOf(mark: ReturnType<typeof byteOrderMark>, encoding: TextEncoding): number {
  return mark?.encoding === encoding ? mark.bytes : 0;
}

interface Utf8Facts {
  readonly index: TextIndex;
  readonly ascii: boolean;
}

/** Undefined for what is not UTF-8 throughout. */
async function readUtf8(file: Source, bytes: number, skip: number): Promise<Utf8Facts | undefined> {
  const builder = new TextIndexBuilder(bytes, skip);
  let ascii = true;
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of piecesOf(file, bytes, skip)) {
    const all = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const whole = all.subarray(0, completeUtf8(all));
    rest = Buffer.from(all.subarray(whole.length));
    if (!builder.addUtf8(whole)) return undefined;
    ascii &&= isAscii(whole);
  }
  return rest.length === 0 ? { index: builder.index, ascii } : undefined;
}

/** A smaller file is read whole. */
const INDEXED_BYTES = PIECE;

function counted(index: TextIndex, bytes: number): Pick<TextFacts, 'characters' | 'lines' | 'index'> {
  return { characters: index.length, lines: index.lines, ...(bytes > INDEXED_BYTES && { index }) };
}

type TextFacts = Extract<FileFacts, { is: 'text' }>;

interface TextToCount extends Found {
  readonly bytes: number;
  readonly skip: number;
}

async function textFacts(file: Source, text: TextToCount): Promise<FileFacts> {
  const { bytes, skip, encoding } = text;
  const decoding = decodeText(encoding);
  const builder = new TextIndexBuilder(bytes, skip);
  let replaced = false;
  for await (const piece of piecesOf(file, bytes, skip)) {
    for (const decoded of builder.addDecoded(piece, encoding, decoding)) replaced ||= decoded.includes(REPLACEMENT);
  }
  const rest = decoding.end();
  builder.end(rest);
  return {
    is: 'text',
    ...text,
    ...counted(builder.index, bytes),
    replaced: replaced || rest.includes(REPLACEMENT),
  };
}

/** The source to read: a file, or its bytes. */
type Source = Pick<FileHandle, 'read'> | Buffer;

/** The file in pieces that share one buffer. */
async function* piecesOf(file: Source, bytes: number, skip: number): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(file)) {
    if (skip < bytes) yield file.subarray(skip);
    return;
  }
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, bytes)));
  for (let position = skip; position < bytes; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - position), position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Up to `length` bytes from a position. */
export async function readAt(file: Source, position: number, length: number): Promise<Buffer> {
  if (Buffer.isBuffer(file)) return file.subarray(position, position + length);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** SHA-256 of a file's bytes, in hex, without reading it into memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
