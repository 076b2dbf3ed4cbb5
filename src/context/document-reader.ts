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
import { ContextRoom } from './large/context-room.ts';
import { convertedTableFacts, DocumentParts, textTableFacts } from './large/document-parts.ts';
import { openUnchanged } from './large/large-file.ts';
import { TooLong } from './large/text-reader.ts';
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
  readonly parts: DocumentParts;
}

/** Bytes of one piece of a text or a table, and of a file's own bytes. */
const PIECE_BYTES = 2 * 1024 * 1024;

/**
 * The documents of a context as a projection of the guest's. Keys are `3 facts`, `3 text 0`, `3 table 0 0`, `3 bytes 0`: the
 * document by its place, the part, and the byte at which a piece begins. `3/1` is the second document within the fourth.
 * Large texts and tables are read by number: `3 slice 0 1000`, `3 lines 0 10`, `3 records 0 0 10`, with the code of the delimiter for CSV, `3 find 0 1000 6162`
 * and `3 count …` for a literal in hexadecimal.
 *
 * @param wholeTextBytes bytes of the largest text that the guest gets whole
 */
export function documentReader(
  documents: readonly ReadDocument[],
  wholeTextBytes: number = new ContextRoom().wholeTextBytes,
): Projection {
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
        await readPart(await open(place), part, { words: numbers, wholeTextBytes });
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
  if (!isConvertedKind(file.converts)) return opened(document, undefined);
  const converted = await convertValue(file, file.converts);
  const inner = onlyMember(converted);
  if (inner !== undefined) {
    const { value } = await examine(inner.path, { textAsIs: true });
    // A file that is packed twice is unpacked once: it could hold itself.
    return value.converts === file.converts
      ? opened(document, undefined)
      : await openDocument({ ...document, file: value });
  }
  return opened(document, converted, readable((await memberDocuments(converted)).documents));
}

function opened(
  document: ReadDocument,
  converted: ConvertedFile | undefined,
  members: readonly ReadDocument[] = [],
): Opened {
  return { ...document, converted, members, parts: new DocumentParts(document.path, document.file, converted) };
}

/** Documents that are files. */
export function readable(documents: readonly DocumentValue[]): readonly ReadDocument[] {
  return documents.flatMap(({ path, content, about }) =>
    content.kind === 'file' ? [{ path, file: content, ...(about !== undefined && { about }) }] : [],
  );
}

interface PartRequest {
  readonly words: readonly string[];
  readonly wholeTextBytes: number;
}

async function readPart(document: Opened, part: string, request: PartRequest): Promise<JsonValue | undefined> {
  const { file, converted, parts } = document;
  const { words, wholeTextBytes } = request;
  const [first = 0, second = 0, third = 0, delimiter] = words.map(Number);
  switch (part) {
    case 'facts':
      return await factsOf(document, wholeTextBytes);
    case 'bytes':
      return await bytesAt(file, first);
    case 'text':
      return converted === undefined
        ? await plainText(file)
        : await textAt(converted, converted.conversion.text?.file, first);
    case 'table':
      return converted && (await textAt(converted, converted.conversion.tables[first]?.file, second));
    case 'slice':
      return await parts.slice(first, second);
    case 'lines':
      return await parts.lines(first, second);
    case 'find':
    case 'count': {
      const wanted = Buffer.from(words[2] ?? '', 'hex');
      if (wanted.length === 0) return undefined;
      const found = await parts.search({ start: first, stop: second, wanted, first: part === 'find' });
      return found && { ...found };
    }
    case 'records': {
      const range = { start: second, stop: third, ...(delimiter !== undefined && { delimiter }) };
      return { ...(await parts.records(first, range)) };
    }
    default:
      return undefined;
  }
}

async function factsOf(document: Opened, wholeTextBytes: number): Promise<JsonValue> {
  const { converted, members, parts } = document;
  const large = await parts.large(wholeTextBytes);
  if (converted === undefined) return plainFacts(document, large);
  const documents = members.map(({ path, file: content }) => ({ path, content }));
  return convertedFacts(converted, { documents, large });
}

interface FactsParts extends Pick<MemberDocuments, 'documents'> {
  readonly large: JsonValue;
}

/** The facts of a converted document, as the guest takes them. */
export function convertedFacts(converted: ConvertedFile, { documents, large }: FactsParts): JsonValue {
  const { kind, title, meta, text, pages, notes } = converted.conversion;
  return {
    kind,
    title: title ?? null,
    meta,
    hasText: text !== undefined,
    pages: pages ?? null,
    tables: convertedTableFacts(converted),
    members: readable(documents).map(({ path, file }) => [path, file.converts ?? null, file.bytes]),
    notes,
    large,
  };
}

/** The facts of a text. The rows of one that the guest gets whole are made there. */
export function plainFacts(
  { path, file, about = {} }: ReadDocument,
  large: JsonValue,
  lazyRows: boolean = large !== null,
): JsonValue {
  const { title = null, meta = {} } = about;
  const tables = lazyRows ? textTableFacts(path, file) : [];
  return { kind: null, title, meta, hasText: file.as !== 'bytes', pages: null, tables, members: [], notes: [], large };
}

async function plainText(file: FileValue): Promise<JsonValue> {
  const { path, encoding, skip } = file;
  const bytes = file.onDemand ? await wholeFile(file) : await readFile(path);
  return { text: encoding === BINARY ? '' : decodeWhole(bytes.subarray(skip), encoding), next: null };
}

async function wholeFile(file: FileValue): Promise<Buffer> {
  await using handle = await openUnchanged(file);
  return await handle.readFile();
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
  const name = error instanceof ConversionError || error instanceof TooLong ? 'ValueError' : 'OSError';
  return Object.assign(new Error(`${shownName(path)}: ${why}`, { cause: error }), { name });
}
