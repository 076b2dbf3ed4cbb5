import { open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { ConversionError } from '../convert/conversion-error.ts';
import { messageOf, RlmError } from '../errors.ts';
import { READ_REGULAR } from '../regular-file.ts';
import type { FileValue } from '../repl/port.ts';
import { BINARY, type TextEncoding } from '../text-encoding.ts';
import { documentContext } from './document-context.ts';
import type { Guarded } from './file-guard.ts';
import { checkFileOptions, checkPath, encodingGiven, whyNoPath } from './file-options.ts';
import { bytesNote, describeFile, notesOf } from './file-words.ts';
import { type ContextSource, contextSource, type LoadedContext } from './input.ts';
import { previewOfFile } from './preview-of-file.ts';
import { type FileFacts, scanFile } from './scan-file.ts';

/** How a file is read. */
export interface FileOptions {
  /**
   * `text`: as it is, decoded. `json`: parsed by Python, integers exact. `bytes`: not decoded at all. Default: by its kind, which
   * for PDF, office documents and the like is the text that a converter finds in it, with pages and tables (docs/contexts.md).
   */
  readonly as?: 'text' | 'json' | 'bytes';
  /**
   * Any label of the WHATWG Encoding Standard, such as `windows-1252` or `shift_jis`. Default: by its byte-order mark, by
   * the bytes, by what an XML or HTML document declares, else windows-1252; a guess is reported. A mark is never part of
   * the text.
   */
  readonly encoding?: string;
}

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
  return contextSource(() => lookAtFile(path, options));
}

/** A file with a name of its own, such as a copy of standard input. */
export function namedFile(path: string, name: string, options: FileOptions): ContextSource {
  return contextSource(() => lookAtFile(path, options, name));
}

/** A file that can be a context: what it is, and how a REPL gets it. */
export interface FileLook {
  readonly value: FileValue;
  readonly facts: FileFacts;
}

/** @throws RlmError `context-not-found`, `context-invalid` */
export async function lookAtFile(path: string, options: FileOptions & Guarded, name?: string): Promise<LoadedContext> {
  checkPath('fromFile', path);
  checkFileOptions('fromFile', options);
  return await onFile(path, async (absolute) => {
    await options.guard?.checkPath(absolute);
    const { value, facts } = await examine(absolute, options);
    const named = name === undefined ? value : { ...value, name };
    if (value.converts !== undefined) return await documentContext(named, name ?? basename(absolute));
    return await describe({ value: named, facts });
  });
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

/** @throws RlmError `context-invalid` for what is not a regular file, and for one that no option makes usable */
export async function examine(absolute: string, options: FileOptions & Guarded): Promise<FileLook> {
  const { as = 'text', guard } = options;
  const byKind = options.as === undefined && options.encoding === undefined;
  // Opening a device may do something, so what it is counts before and after.
  if (!(await stat(absolute)).isFile()) throw notRegular(absolute);
  const encoding = as === 'bytes' ? BINARY : encodingGiven(options.encoding);
  await using file = await open(absolute, READ_REGULAR);
  const opened = await file.stat();
  if (!opened.isFile()) throw notRegular(absolute);
  const identity = guard?.checkOpen({ fd: file.fd, path: absolute });
  const facts = await scanFile(file, opened.size, encoding);
  const converts = byKind && facts.is === 'binary' ? facts.kind.converts : undefined;
  if (facts.is === 'text') checkWhole(absolute, facts);
  else if (converts === undefined) checkOpens({ absolute, facts, as, wanted: encoding === BINARY });
  const value = fileValue({ absolute, facts, as, named: encoding, identity });
  return { value: { ...value, ...(converts !== undefined && { converts }) }, facts };
}

function notRegular(absolute: string): RlmError {
  return notUsable('context-invalid', absolute, 'it is not a regular file; use fromFiles for a folder');
}

function checkOpens(check: {
  readonly absolute: string;
  readonly facts: Extract<FileFacts, { is: 'binary' }>;
  readonly as: FileValue['as'];
  readonly wanted: boolean;
}): void {
  const { absolute, facts, as, wanted } = check;
  if (wanted || (as === 'text' && facts.kind.opens !== undefined)) return;
  throw whyBinary(absolute, facts);
}

/** The error for a file that was named, is not text, and is not opened by Python's standard library. */
function whyBinary(absolute: string, { kind }: Extract<FileFacts, { is: 'binary' }>): RlmError {
  const remedy = kind.remedy ?? 'it cannot be read as JSON';
  return notUsable('context-invalid', absolute, `it is ${kind.name}, not text: ${remedy}`, { binary: kind.name });
}

function checkWhole(absolute: string, { bytes, skip, encoding, source }: Extract<FileFacts, { is: 'text' }>): void {
  if (!encoding.startsWith('utf-16') || (bytes - skip) % 2 === 0 || source === 'guessed') return;
  throw notUsable('context-invalid', absolute, `it is cut short (${encoding} has an even number of bytes)`);
}

function fileValue(look: {
  readonly absolute: string;
  readonly facts: FileFacts;
  readonly as: FileValue['as'];
  readonly named: TextEncoding | undefined;
  readonly identity: string | undefined;
}): FileValue {
  const { absolute, facts, as, named, identity } = look;
  const text = facts.is === 'text';
  return {
    kind: 'file',
    path: absolute,
    bytes: facts.bytes,
    encoding: text ? facts.encoding : BINARY,
    skip: text ? facts.skip : 0,
    as: text ? as : 'bytes',
    ...(named !== undefined && { named }),
    ...(identity !== undefined && { identity }),
  };
}

async function describe({ value, facts }: FileLook): Promise<LoadedContext> {
  const name = value.name ?? basename(value.path);
  const description = describeFile(name, facts);
  if (facts.is === 'binary') {
    const notes = [bytesNote(name, facts, 'context')];
    return { ...BYTES, value, size: facts.bytes, description, notes, empty: facts.bytes === 0 };
  }
  return {
    value,
    type: value.as === 'json' ? 'JSON' : 'str',
    size: value.as === 'json' ? undefined : facts.characters,
    unit: 'characters',
    lines: facts.lines,
    preview: await previewOfFile(value),
    description,
    notes: notesOf(name, facts),
    empty: facts.characters === 0,
  };
}

const BYTES = { type: 'bytes', unit: 'bytes', preview: undefined } as const;

/** The error for a file that cannot be a context; `why` is a clause. */
function notUsable(
  code: 'context-not-found' | 'context-invalid',
  path: string,
  why: string,
  more: Readonly<Record<string, string>> = {},
): RlmError {
  return new RlmError({
    code,
    message: `The context file ${path} cannot be used: ${why}.`,
    userAction: true,
    data: { path, ...more },
  });
}
