import { basename, resolve } from 'node:path';
import { ConversionError } from '../convert/conversion-error.ts';
import { ARCHIVES, isConvertedKind } from '../convert/kinds.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { FileValue } from '../repl/port.ts';
import { archiveContext } from './archive-context.ts';
import { convertValue, onlyMember } from './converted-files.ts';
import { documentContext } from './document-context.ts';
import { examine, type FileLook, type FileOptions, isBinaryRefusal, notUsable } from './examine-file.ts';
import type { Guarded } from './file-guard.ts';
import { checkFileOptions, checkPath, whyNoPath } from './file-options.ts';
import { blankNote, bytesNote, describeFile, notesOf } from './file-words.ts';
import { type ContextSource, contextSource, type LoadedContext } from './input.ts';
import { type ContextRoom, type FileUse, textMemory } from './large/context-room.ts';
import { largeText, lazyRows, tooLarge } from './large/large-text.ts';
import { previewOfFile } from './preview-of-file.ts';
import { hasRows } from './text-kinds.ts';

/**
 * A file as context. It is read in pieces to learn what it is, and never kept in this process: the REPL maps it. A document,
 * such as a PDF, is converted in a process of its own. Any other file that is not text is refused, or given as `bytes` where
 * Python's standard library can open it.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'Who wrote it?', context: fromFile('book.txt') });
 * ```
 */
export function fromFile(path: string, options: FileOptions = {}): ContextSource {
  return contextSource((room) => lookAtFile(path, options, { room }));
}

/** A file with a name of its own, such as a copy of standard input. */
export function namedFile(path: string, name: string, options: FileOptions): ContextSource {
  return contextSource((room) => lookAtFile(path, options, { room, name }));
}

/** @throws RlmError `context-not-found`, `context-invalid`, `context-length` */
export async function lookAtFile(path: string, options: FileOptions & Guarded, use: FileUse): Promise<LoadedContext> {
  checkPath('fromFile', path);
  checkFileOptions('fromFile', options);
  return await onFile(path, async (absolute) => {
    await options.guard?.checkPath(absolute);
    return await lookAt(absolute, options, use);
  });
}

/** Files within files within files: what a person makes has fewer levels. */
const MOST_LEVELS = 5;

async function lookAt(
  absolute: string,
  options: FileOptions & Guarded,
  { name, room }: FileUse,
  level = 0,
): Promise<LoadedContext> {
  const { value, facts } = await examine(absolute, options);
  const file = name === undefined ? value : { ...value, name };
  const { converts } = file;
  if (!isConvertedKind(converts)) return await describe({ value: file, facts }, room);
  const shown = name ?? basename(absolute);
  const converted = await convertValue(file, converts);
  const inner = onlyMember(converted);
  if (inner !== undefined && level < MOST_LEVELS) {
    try {
      return { ...(await lookAt(inner.path, {}, { name: innerName(shown), room }, level + 1)), origin: file };
    } catch (error) {
      if (!isBinaryRefusal(error)) throw error;
      throw notUsable('context-invalid', absolute, 'the file in it is not text: unpack it and convert that first');
    }
  }
  if (ARCHIVES.has(converts))
    return { ...(await archiveContext(file, converted, { name: shown, room })), origin: file };
  return await documentContext(file, converted, { name: shown, room });
}

/** `access.log.gz` without the end that names how it is packed. */
function innerName(name: string): string {
  return name.replace(/\.(?:gz|gzip|zst|zstd)$/i, '');
}

/** Runs a look at a file; its failures name the file. */
export async function onFile<T>(path: string, look: (absolute: string) => Promise<T>): Promise<T> {
  const absolute = resolve(path);
  try {
    return await look(absolute);
  } catch (error) {
    if (RlmError.isInstance(error)) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const noPath = missing ? whyNoPath(path) : undefined;
    if (noPath !== undefined) throw notUsable('context-not-found', path, noPath);
    const why =
      error instanceof ConversionError ? `${error.message}; the encoding 'binary' gives its bytes` : messageOf(error);
    throw notUsable(missing ? 'context-not-found' : 'context-invalid', absolute, why);
  }
}

async function describe({ value, facts }: FileLook, room: ContextRoom): Promise<LoadedContext> {
  const name = value.name ?? basename(value.path);
  const description = describeFile(name, facts);
  if (facts.is === 'binary') {
    if (!room.take(facts.bytes)) throw tooLarge(value, 'its bytes');
    const notes = [bytesNote(name, facts, 'context')];
    return { ...BYTES, value, size: facts.bytes, description, notes, empty: facts.bytes === 0 };
  }
  if (!room.take(textMemory(facts))) {
    if (value.as === 'json') throw tooLarge(value, 'a JSON value');
    return await largeText({ value, facts }, { name, description });
  }
  const preview = await previewOfFile(value);
  return {
    ...boundText(value, name),
    type: value.as === 'json' ? 'JSON' : 'str',
    size: value.as === 'json' ? undefined : facts.characters,
    unit: 'characters',
    lines: facts.lines,
    preview,
    description,
    notes: facts.characters > 0 && holdsNothing(preview) ? [blankNote(name)] : notesOf(name, facts),
    empty: facts.characters === 0,
  };
}

/** A text as a value, with its rows where its name says that it has some. */
function boundText(value: FileValue, name: string): Pick<LoadedContext, 'value' | 'shape' | 'projection'> {
  if (value.as !== 'text') return { value };
  if (!hasRows(name, value.bytes)) return lazyRows(value, name) ?? { value };
  return {
    value: { kind: 'document', id: '', path: name, file: value, text: value, facts: {} },
    shape: 'its records are in `.rows`, a list of dicts',
  };
}

/** A file that the preview shows whole, and that is blank. */
function holdsNothing(preview: string | undefined): boolean {
  return preview !== undefined && preview.trim() === '';
}

const BYTES = { type: 'bytes', unit: 'bytes', preview: undefined } as const;
