/**
 * Reads documents on demand: a cell asks for the facts, the text, a table or the bytes of one, and only then is it converted.
 *
 * @module
 */

import { ConversionError } from '../convert/conversion-error.ts';
import type { ConvertedFile } from '../convert/convert-file.ts';
import { isConvertedKind } from '../convert/kinds.ts';
import { openRegular } from '../regular-file.ts';
import type { FileValue, JsonValue } from '../repl/port.ts';
import { completeUtf8 } from '../text-encoding.ts';
import { convertValue } from './converted-files.ts';
import { shownName } from './file-words.ts';
import type { Projection } from './input.ts';

/** A document that is read on demand. */
export interface ReadDocument {
  readonly path: string;
  readonly file: FileValue;
}

/** Bytes of one piece of a text or a table, and of a file's own bytes. */
const PIECE_BYTES = 2 * 1024 * 1024;

/**
 * The documents of a context as a projection of the guest's. Keys are `3 facts`, `3 text 0`, `3 table 0 0` and `3 bytes 0`: the
 * document by its place, the part, and the byte at which a piece begins.
 */
export function documentReader(documents: readonly ReadDocument[]): Projection {
  return {
    shape: 'mapping',
    keys: () => documents.map((_, index) => `${index} facts`),
    async get(key) {
      const [place = '', part = '', ...numbers] = key.split(' ');
      const document = documents[Number(place)];
      if (document === undefined || !/^\d+$/.test(place)) return undefined;
      try {
        return await readPart(document, part, numbers.map(Number));
      } catch (error) {
        throw valueError(document.path, error);
      }
    },
  };
}

async function readPart(
  { file }: ReadDocument,
  part: string,
  numbers: readonly number[],
): Promise<JsonValue | undefined> {
  const at = numbers.at(-1) ?? 0;
  if (part === 'bytes') return await bytesAt(file, at);
  if (!isConvertedKind(file.converts)) return undefined;
  const converted = await convertValue(file, file.converts);
  const { text, tables } = converted.conversion;
  switch (part) {
    case 'facts':
      return factsOf(converted);
    case 'text':
      return await textAt(converted, text?.file, at);
    case 'table':
      return await textAt(converted, tables[numbers[0] ?? 0]?.file, at);
    default:
      return undefined;
  }
}

/** The facts of a document, as the guest takes them. */
export function factsOf({ conversion }: ConvertedFile): JsonValue {
  const { kind, title, meta, text, pages, tables, notes } = conversion;
  return {
    kind,
    title: title ?? null,
    meta,
    hasText: text !== undefined,
    pages: pages ?? null,
    tables: tables.map(({ name, columns, rows }) => ({ name, columns, rows })),
    notes,
  };
}

/** A piece of text and the byte at which the next one begins, or null at the end. */
async function textAt(converted: ConvertedFile, file: number | undefined, at: number): Promise<JsonValue> {
  if (file === undefined) return { text: '', next: null };
  const bytes = await pieceOf({ path: converted.path(file) }, at);
  const end = bytes.length < PIECE_BYTES ? bytes.length : completeUtf8(bytes);
  return { text: bytes.toString('utf8', 0, end), next: bytes.length < PIECE_BYTES ? null : at + end };
}

async function bytesAt(file: FileValue, at: number): Promise<JsonValue> {
  const bytes = await pieceOf(file, at);
  return { text: bytes.toString('base64'), next: bytes.length < PIECE_BYTES ? null : at + bytes.length };
}

async function pieceOf(file: Parameters<typeof openRegular>[0], at: number): Promise<Buffer> {
  await using handle = await openRegular(file);
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, at);
  return buffer.subarray(0, bytesRead);
}

/** Raised in the cell under Python's name of such errors. */
function valueError(path: string, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  const name = error instanceof ConversionError ? 'ValueError' : 'OSError';
  return Object.assign(new Error(`${shownName(path)}: ${why}`, { cause: error }), { name });
}
