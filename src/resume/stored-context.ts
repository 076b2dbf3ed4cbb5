import { ContentFolder } from '../context/content-folder.ts';
import { documentsContext } from '../context/documents.ts';
import { namedFile } from '../context/from-file.ts';
import {
  type ContextInput,
  type ContextNote,
  type ContextSet,
  type ContextSource,
  type FileOptions,
  fromFile,
  type LoadedContext,
  type LoadedSeeds,
  contexts as namedContexts,
} from '../context/index.ts';
import { contextSource, isContextSource } from '../context/input.ts';
import { describeJson } from '../context/load.ts';
import { mapBounded } from '../map-bounded.ts';
import type { FileValue, JsonValue } from '../repl/port.ts';
import type { BlobRef } from '../store/blob-store.ts';
import type { Store, StoredContext } from '../store/index.ts';
import { ContextUnavailable, findFile, fingerprint, type ResolveFile } from './file-reference.ts';

type StoredFile = Extract<StoredContext, { kind: 'file' }>;

/** The name under which a run's only context is stored. */
const ONLY = 'context';

/** Contexts as a store keeps them: texts as blobs, files by path, size and hash, projections by name only. */
export async function storeContexts(set: ContextSet, handle: StoreHandle): Promise<readonly StoredContext[]> {
  const entries: Iterable<readonly [string, LoadedContext]> = set.kind === 'one' ? [[ONLY, set.context]] : set.contexts;
  return await Promise.all([...entries].map(([name, context]) => storeOne(name, context, handle)));
}

/** Seed values, as {@link storeContexts} keeps contexts. */
export async function storeSeeds(seeds: LoadedSeeds, handle: StoreHandle): Promise<readonly StoredContext[]> {
  return await Promise.all([...seeds].map(([name, value]) => storeOne(name, value, handle)));
}

export async function storeAttachments(list: LoadedContext, handle: StoreHandle): Promise<StoredContext> {
  return await storeOne('attachments', list, handle);
}

/** Where contexts are stored. */
export interface StoreHandle {
  readonly store: Store;
  /** The run. */
  readonly owner: string;
  /** Copies files into the store: the run is for another machine. Default false. */
  readonly copyFiles?: boolean;
}

async function storeOne(
  name: string,
  { value, notes = [], origin }: LoadedContext,
  handle: StoreHandle,
): Promise<StoredContext> {
  const { store, owner } = handle;
  if (origin !== undefined) return { ...(await storedFile(origin, handle)), name };
  switch (value.kind) {
    case 'text':
      return { name, kind: 'text', blob: await store.blobs.put(value.text, owner) };
    case 'json':
      return { name, kind: 'json', blob: await store.blobs.put(value.json, owner) };
    case 'file':
      return { ...(await storedFile(value, handle)), name };
    case 'document':
      return { ...(await storedFile(value.file, handle)), name };
    case 'documents':
      return {
        name,
        kind: 'files',
        documents: await mapBounded(value.documents, (document) => storeDocument(document, handle)),
        options: { notes: notes.map((note) => ({ ...note })) },
      };
    case 'projection':
      return { name, kind: 'projected' };
    default:
      return { name, kind: 'none' };
  }
}

/** Hashing reads the file; within one process, size and path identify it. */
async function storedFile(
  value: FileValue,
  { store, owner, copyFiles = false }: StoreHandle,
): Promise<Omit<StoredFile, 'name'>> {
  const { path, bytes, encoding, skip, as, named, name, converts, modified } = value;
  const hashes = store.location === 'memory' ? {} : await fingerprint(path, bytes);
  const blob = copyFiles ? { blob: await store.blobs.putFile(path, owner) } : {};
  return {
    kind: 'file',
    path,
    bytes,
    ...hashes,
    ...blob,
    ...(modified !== undefined && { modified }),
    options: {
      ...{ encoding, skip, as },
      ...(named !== undefined && { named }),
      ...(name !== undefined && { name }),
      ...(converts !== undefined && { converts }),
    },
  };
}

type Document = Extract<LoadedContext['value'], { kind: 'documents' }>['documents'][number];
type StoredDocument = Extract<StoredContext, { kind: 'files' }>['documents'][number];

/** The form of a document whose blob holds bytes. */
const IN_BASE64 = { as: 'bytes', blob: 'base64' } as const;

async function storeDocument(document: Document, handle: StoreHandle): Promise<StoredDocument> {
  const { store, owner } = handle;
  const { path, content } = document;
  // That of other documents comes out of their file.
  const about = document.about?.attachment === undefined ? {} : { about: document.about as JsonValue };
  if (content.kind === 'text') return { path, blob: await store.blobs.put(content.text, owner), ...about };
  if (content.kind === 'bytes') {
    const blob = await store.blobs.put(Buffer.from(content.data).toString('base64'), owner);
    return { path, blob, options: { ...IN_BASE64, ...(document.about !== undefined && { about: document.about }) } };
  }
  const { kind: _, path: file, ...reference } = await storedFile(content, handle);
  return { ...reference, path, file, ...about };
}

/** Supplies replacements for stored contexts. */
export interface ContextSubstitutes {
  /** The context that the caller gave again under this name. */
  given(name: string): Part | undefined;
  /** The value to bind where the context is not available; `why` is a clause. */
  unavailable(name: string, why: string): Part;
}

/** One context of several. */
export type Part = string | JsonValue | ContextSource;

export interface LoadStored {
  readonly store: Store;
  /** Without substitutes, a context that is not available is an error. */
  readonly substitutes?: ContextSubstitutes;
  /** Finds files that are not where they were. */
  readonly resolveFile: ResolveFile | undefined;
}

/**
 * Stored contexts as a request takes them.
 *
 * @throws RlmError `context-not-found`, `context-invalid` when one is missing or has changed, and no substitute is given
 */
export async function loadStored(
  stored: readonly StoredContext[],
  access: LoadStored,
): Promise<ContextInput | undefined> {
  const [first] = stored;
  if (stored.length === 1 && first?.name === ONLY) return await loadOne(first, access);
  const parts = await Promise.all(stored.map(async (one) => [one.name, (await loadOne(one, access)) ?? null] as const));
  return namedContexts(Object.fromEntries(parts));
}

/** Seed values as a request takes them. @throws as {@link loadStored} */
export async function loadStoredSeeds(
  stored: readonly StoredContext[] | undefined,
  access: LoadStored,
): Promise<Readonly<Record<string, Part>> | undefined> {
  if (stored === undefined) return undefined;
  const parts = stored.map(async (one) => [one.name, (await loadOne(one, access)) ?? null] as const);
  return Object.fromEntries(await Promise.all(parts));
}

/** Attachments as a request takes them. @throws as {@link loadStored} */
export async function loadStoredAttachments(
  stored: StoredContext | undefined,
  access: LoadStored,
): Promise<ContextSource | undefined> {
  const part = stored === undefined ? undefined : await loadOne(stored, access);
  return isContextSource(part) ? part : undefined;
}

async function loadOne(stored: StoredContext, access: LoadStored): Promise<Part | undefined> {
  const { substitutes } = access;
  if (stored.kind === 'none') return undefined;
  const given = substitutes?.given(stored.name);
  if (given !== undefined) return given;
  try {
    return await read(stored, access);
  } catch (error) {
    if (substitutes === undefined || !(error instanceof ContextUnavailable)) throw error;
    return substitutes.unavailable(stored.name, error.why);
  }
}

async function read(stored: Exclude<StoredContext, { kind: 'none' }>, access: LoadStored): Promise<Part> {
  const { store, resolveFile } = access;
  switch (stored.kind) {
    case 'text':
      return await store.blobs.text(stored.blob);
    case 'json':
      return jsonSource(await store.blobs.text(stored.blob));
    case 'file':
      if (stored.blob !== undefined) return await copySource(stored, stored.blob, store);
      return fileSource(await findFile(stored, resolveFile), stored.options as FileRecord);
    case 'files':
      return await documentsSource(stored, access);
    case 'projected':
      throw new ContextUnavailable({
        code: 'context-invalid',
        what: isOnly(stored.name) ? 'context' : `context ${stored.name}`,
        why: 'it was projected from the process that handed it over',
        remedy: 'Start a new run instead',
      });
  }
}

/** The copy that the store has for other machines; it has the name of the file. */
async function copySource({ path, options }: StoredFile, blob: BlobRef, store: Store): Promise<ContextSource> {
  const record = options as FileRecord;
  const { name = path.split(/[/\\]/).at(-1) ?? path } = record;
  return fileSource(await copyOf(blob, store), { ...record, name });
}

/** Files that were stored for other machines, on this one. */
const copies = new ContentFolder();

async function copyOf(blob: BlobRef, { blobs }: Store): Promise<string> {
  const write = async (path: string): Promise<string> => {
    await blobs.copyTo(blob, path);
    return blob.id;
  };
  return await copies.pathOf({ sha256: blob.id, bytes: blob.bytes, write });
}

/** How a file was read. Files read by version 0.1 have only `latin-1` where the Encoding Standard has other names. */
type FileRecord = Pick<FileValue, 'as' | 'encoding' | 'named' | 'name'>;

function fileSource(path: string, record: FileRecord): ContextSource {
  const options = optionsOf(record);
  return record.name === undefined ? fromFile(path, options) : namedFile(path, record.name, options);
}

/** The options of the first read: an encoding that was detected is detected again, with the same notes. */
function optionsOf({ as, encoding, named }: FileRecord): FileOptions {
  if (as === 'bytes') return named === undefined ? {} : { as };
  const given = named ?? (encoding === 'latin-1' ? encoding : undefined);
  return given === undefined ? { as } : { as, encoding: given };
}

/** True for the stored name of a context without a name. */
export function isOnly(name: string): boolean {
  return name === ONLY;
}

function jsonSource(json: string): Part {
  return contextSource(() => Promise.resolve(describeJson(json, JSON.parse(json) as JsonValue)));
}

async function documentsSource(
  stored: Extract<StoredContext, { kind: 'files' }>,
  { store, resolveFile }: LoadStored,
): Promise<Part> {
  const documents: Document[] = await mapBounded(
    stored.documents,
    async ({ path, blob, file, options, bytes = 0, about: recorded, ...hashes }) => {
      const about = recorded === undefined ? {} : { about: recorded as NonNullable<Document['about']> };
      if (blob !== undefined && file === undefined)
        return { ...blobDocument({ path, text: await store.blobs.text(blob), options }), ...about };
      const found =
        blob === undefined
          ? await findFile({ ...hashes, path: file ?? path, bytes }, resolveFile)
          : await copyOf(blob, store);
      const how = options as Pick<FileValue, 'as' | 'converts' | 'encoding' | 'skip'>;
      return { path, content: { kind: 'file', path: found, bytes, ...how }, ...about } as const;
    },
  );
  const { notes = [] } = (stored.options ?? {}) as { readonly notes?: readonly ContextNote[] };
  return contextSource((room) => Promise.resolve(documentsContext(documents, { notes, room })));
}

interface BlobRecord {
  readonly path: string;
  readonly text: string;
  readonly options: JsonValue | undefined;
}

function blobDocument({ path, text, options }: BlobRecord): Document {
  const { blob, about } = (options ?? {}) as { readonly blob?: string; readonly about?: Document['about'] };
  if (blob !== IN_BASE64.blob) return { path, content: { kind: 'text', text } };
  const content = { kind: 'bytes', data: Buffer.from(text, 'base64') } as const;
  return { path, content, ...(about !== undefined && { about }) };
}
