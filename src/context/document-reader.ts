/**
 * Reads documents on demand: a cell asks for the facts, the text, a table or the bytes of one, and only then is it converted.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { ConversionError } from '../convert/conversion-error.ts';
import type { ConvertedFile } from '../convert/convert-file.ts';
import { isConvertedKind } from '../convert/kinds.ts';
import { openRegular } from '../regular-file.ts';
import type { DocumentValue, FileValue, JsonValue } from '../repl/port.ts';
import { BINARY, completeUtf8, decodeWhole } from '../text-encoding.ts';
import { convertValue, onlyMember } from './converted-files.ts';
import { examine } from './examine-file.ts';
import { shownName } from './file-words.ts';
import type { Projection } from './input.ts';
import { type MemberDocuments, memberDocuments } from './member-documents.ts';
import { isStatement, queryDocuments } from './query-documents.ts';

/** A document that is read on demand. */
export interface ReadDocument {
  readonly path: string;
  readonly file: FileValue;
  readonly about?: DocumentValue['about'];
}

/** A document with its conversion, and the documents within it. */
interface Opened extends ReadDocument {
  readonly converted: ConvertedFile | undefined;
  readonly members: readonly ReadDocument[];
}

/** Bytes of one piece of a text or a table, and of a file's own bytes. */
const PIECE_BYTES = 2 * 1024 * 1024;

/**
 * The documents of a context as a projection of the guest's. Keys are `3 facts`, `3 text 0`, `3 table 0 0`, `3 bytes 0`: the
 * document by its place, the part, and the byte at which a piece begins. `3/1` is the second document within the fourth.
 */
export function documentReader(documents: readonly ReadDocument[]): Projection {
  const opened = new Map<string, Promise<Opened>>();
  const open = (place: string): Promise<Opened> => {
    const before = opened.get(place);
    if (before !== undefined) return before;
    const opening = openAt(place);
    opened.set(place, opening);
    opening.catch(() => opened.delete(place));
    return opening;
  };
  const openAt = async (place: string): Promise<Opened> => {
    const slash = place.lastIndexOf('/');
    const siblings = slash < 0 ? documents : (await open(place.slice(0, slash))).members;
    const document = siblings[Number(place.slice(slash + 1))];
    if (document === undefined) throw new ConversionError(`there is no document ${place}`);
    return await openDocument(document);
  };
  return {
    shape: 'mapping',
    keys: () => documents.map((_, index) => `${index} facts`),
    async get(key) {
      if (isStatement(key)) return await queryDocuments(documents, key);
      const [place = '', part = '', ...numbers] = key.split(' ');
      const read = async (): Promise<JsonValue | undefined> =>
        await readPart(await open(place), part, numbers.map(Number));
      try {
        return await read().catch(async (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
          // The cache has dropped a conversion: those that it comes out of are read again as well.
          opened.clear();
          return await read();
        });
      } catch (error) {
        throw valueError(documents[Number.parseInt(place, 10)]?.path ?? place, error);
      }
    },
  };
}

/** A file that holds nothing but another one is opened as that. */
async function openDocument(document: ReadDocument): Promise<Opened> {
  const { file } = document;
  if (!isConvertedKind(file.converts)) return { ...document, converted: undefined, members: [] };
  const converted = await convertValue(file, file.converts);
  const inner = onlyMember(converted);
  if (inner !== undefined) {
    const { value } = await examine(inner.path, { textAsIs: true });
    // A file that is packed twice is unpacked once: it could hold itself.
    return value.converts === file.converts
      ? { ...document, converted: undefined, members: [] }
      : await openDocument({ ...document, file: value });
  }
  return { ...document, converted, members: readable((await memberDocuments(converted)).documents) };
}

/** Documents that are files. */
export function readable(documents: readonly DocumentValue[]): readonly ReadDocument[] {
  return documents.flatMap(({ path, content, about }) =>
    content.kind === 'file' ? [{ path, file: content, ...(about !== undefined && { about }) }] : [],
  );
}

async function readPart(document: Opened, part: string, numbers: readonly number[]): Promise<JsonValue | undefined> {
  const { file, converted, members } = document;
  const at = numbers.at(-1) ?? 0;
  if (part === 'bytes') return await bytesAt(file, at);
  if (converted === undefined) return part === 'facts' ? plainFacts(document) : await plainText(file);
  const { text, tables } = converted.conversion;
  switch (part) {
    case 'facts':
      return factsOf(converted, { documents: members.map(({ path, file: content }) => ({ path, content })) });
    case 'text':
      return await textAt(converted, text?.file, at);
    case 'table':
      return await textAt(converted, tables[numbers[0] ?? 0]?.file, at);
    default:
      return undefined;
  }
}

/** The facts of a document, as the guest takes them. */
export function factsOf({ conversion }: ConvertedFile, { documents }: Pick<MemberDocuments, 'documents'>): JsonValue {
  const { kind, title, meta, text, pages, tables, notes } = conversion;
  return {
    kind,
    title: title ?? null,
    meta,
    hasText: text !== undefined,
    pages: pages ?? null,
    tables: tables.map(({ name, columns, rows }) => ({ name, columns, rows })),
    members: readable(documents).map(({ path, file }) => [path, file.converts ?? null, file.bytes]),
    notes,
  };
}

function plainFacts({ file, about = {} }: Opened): JsonValue {
  const { title = null, meta = {} } = about;
  return { kind: null, title, meta, hasText: file.as !== 'bytes', pages: null, tables: [], members: [], notes: [] };
}

async function plainText({ path, encoding, skip }: FileValue): Promise<JsonValue> {
  const bytes = await readFile(path);
  return { text: encoding === BINARY ? '' : decodeWhole(bytes.subarray(skip), encoding), next: null };
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
