import { stat } from 'node:fs/promises';
import { documentsContext } from '../context/from-files.ts';
import {
  type ContextInput,
  type ContextSet,
  fromFile,
  type LoadedContext,
  contexts as namedContexts,
} from '../context/index.ts';
import { contextSource } from '../context/input.ts';
import { describeJson } from '../context/load.ts';
import { RlmError } from '../errors.ts';
import type { FileValue, JsonValue } from '../repl/port.ts';
import type { Store, StoredContext } from '../store/index.ts';
import { sha256OfFile } from '../subcall/file-hash.ts';

type StoredFile = Extract<StoredContext, { kind: 'file' }>;

/** The name under which a run's only context is stored. */
const ONLY = 'context';

/** Contexts as a store keeps them: texts as blobs, files by path, size and hash, projections by name alone. */
export async function storeContexts(set: ContextSet, store: Store, owner: string): Promise<readonly StoredContext[]> {
  const entries: Iterable<readonly [string, LoadedContext]> = set.kind === 'one' ? [[ONLY, set.context]] : set.contexts;
  return await Promise.all([...entries].map(([name, context]) => storeOne(name, context, { store, owner })));
}

interface Keeping {
  readonly store: Store;
  readonly owner: string;
}

async function storeOne(name: string, { value }: LoadedContext, { store, owner }: Keeping): Promise<StoredContext> {
  switch (value.kind) {
    case 'text':
      return { name, kind: 'text', blob: await store.blobs.put(value.text, owner) };
    case 'json':
      return { name, kind: 'json', blob: await store.blobs.put(value.json, owner) };
    case 'file':
      return { ...(await storedFile(value, store)), name };
    case 'documents':
      return {
        name,
        kind: 'files',
        documents: await Promise.all(value.documents.map((document) => storeDocument(document, { store, owner }))),
      };
    case 'projection':
      return { name, kind: 'projected' };
    default:
      return { name, kind: 'none' };
  }
}

/** A hash costs a read of the file; within one process, size and path are enough to know it by. */
async function storedFile(value: FileValue, store: Store): Promise<Omit<StoredFile, 'name'>> {
  const { path, bytes, encoding, skip, as } = value;
  const sha256 = store.location === 'memory' ? {} : { sha256: await sha256OfFile(path) };
  return { kind: 'file', path, bytes, ...sha256, options: { encoding, skip, as } };
}

type Document = Extract<LoadedContext['value'], { kind: 'documents' }>['documents'][number];
type StoredDocument = Extract<StoredContext, { kind: 'files' }>['documents'][number];

async function storeDocument({ path, content }: Document, { store, owner }: Keeping): Promise<StoredDocument> {
  if (content.kind === 'text') return { path, blob: await store.blobs.put(content.text, owner) };
  const { bytes, sha256, options, path: file } = await storedFile(content, store);
  return { path, bytes, ...(sha256 !== undefined && { sha256 }), file, ...(options !== undefined && { options }) };
}

/**
 * Stored contexts as a request takes them.
 *
 * @throws RlmError `context-not-found`, `context-invalid` when a file is gone or is another than it was
 */
export async function loadStored(stored: readonly StoredContext[], store: Store): Promise<ContextInput | undefined> {
  const [first] = stored;
  if (stored.length === 1 && first?.name === ONLY) return await loadOne(first, store);
  const parts = await Promise.all(stored.map(async (one) => [one.name, (await loadOne(one, store)) ?? null] as const));
  return namedContexts(Object.fromEntries(parts) as Record<string, string>);
}

async function loadOne(stored: StoredContext, store: Store): Promise<ContextInput | undefined> {
  switch (stored.kind) {
    case 'none':
      return undefined;
    case 'text':
      return await store.blobs.text(stored.blob);
    case 'json':
      return jsonSource(await store.blobs.text(stored.blob));
    case 'file':
      await checkUnchanged(stored);
      return fromFile(stored.path, stored.options as Pick<FileValue, 'as' | 'encoding'>);
    case 'files':
      return await documentsSource(stored, store);
    case 'projected':
      throw changed(
        stored.name,
        'it was read from the process that started the run, which is gone: start a new run instead',
      );
  }
}

function jsonSource(json: string): ContextInput {
  return contextSource(() => Promise.resolve(describeJson(json, JSON.parse(json) as JsonValue)));
}

async function documentsSource(stored: Extract<StoredContext, { kind: 'files' }>, store: Store): Promise<ContextInput> {
  const documents: Document[] = await Promise.all(
    stored.documents.map(async ({ path, bytes, sha256, blob, file, options }) => {
      if (blob !== undefined) return { path, content: { kind: 'text', text: await store.blobs.text(blob) } } as const;
      const known = { path: file ?? path, bytes: bytes ?? 0, ...(sha256 !== undefined && { sha256 }) };
      await checkUnchanged(known);
      const how = options as Pick<FileValue, 'as' | 'encoding' | 'skip'>;
      return { path, content: { kind: 'file', path: known.path, bytes: known.bytes, ...how } } as const;
    }),
  );
  return contextSource(() => Promise.resolve(documentsContext(documents)));
}

/** A run goes on with what it began with, or not at all. */
async function checkUnchanged({
  path,
  bytes,
  sha256,
}: {
  readonly path: string;
  readonly bytes: number;
  readonly sha256?: string;
}): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) {
    throw new RlmError({
      code: 'context-not-found',
      message: `The context file ${path} of the run is gone.`,
      userAction: true,
      data: { path },
    });
  }
  if (facts.size !== bytes) throw changed(path, `it had ${bytes} bytes and has ${facts.size} now`);
  if (sha256 !== undefined && (await sha256OfFile(path)) !== sha256)
    throw changed(path, 'its content has changed since');
}

function changed(what: string, why: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The run cannot go on with its context ${what}: ${why}.`,
    userAction: true,
    data: { context: what },
  });
}
