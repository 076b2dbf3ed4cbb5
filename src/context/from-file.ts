import { open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { messageOf, RlmError } from '../errors.ts';
import { openRegular, READ_REGULAR } from '../regular-file.ts';
import type { FileValue } from '../repl/port.ts';
import { BINARY, decodeWhole, type TextEncoding } from '../text-encoding.ts';
import type { Guarded } from './file-guard.ts';
import { checkFileOptions, checkPath, encodingGiven, whyNoPath } from './file-options.ts';
import { bytesNote, describeFile, notesOf } from './file-words.ts';
import { type ContextSource, contextSource, type LoadedContext } from './input.ts';
import {
  joinPreview,
  MIDDLE_AT,
  PREVIEW_CHARS,
  PREVIEW_HEAD,
  PREVIEW_MIDDLE,
  PREVIEW_TAIL,
  previewText,
} from './preview.ts';
import { type FileFacts, readAt, scanFile } from './scan-file.ts';

/** How a file is read. */
export interface FileOptions {
  /** `json`: parsed by Python, integers exact. `bytes`: not decoded at all. Default `text`. */
  readonly as?: 'text' | 'json' | 'bytes';
  /**
   * Any label of the WHATWG Encoding Standard, such as `windows-1252` or `shift_jis`. Default: by its byte-order mark, by
   * the bytes, by what an XML or HTML document declares, else windows-1252; a guess is reported. A mark is never part of
   * the text.
   */
  readonly encoding?: string;
}

/**
 * A file as context. It is read in pieces to learn what it is, and never kept in this process: the REPL maps it. A file
 * that is not text is refused, or given as `bytes` where Python's standard library can open it.
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
    return await describe({ value: name === undefined ? value : { ...value, name }, facts });
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
    throw notUsable(missing ? 'context-not-found' : 'context-invalid', absolute, messageOf(error));
  }
}

/** @throws RlmError `context-invalid` for what is not a regular file, and for one that no option makes usable */
export async function examine(absolute: string, options: FileOptions & Guarded): Promise<FileLook> {
  const { as = 'text', guard } = options;
  // Opening a device may do something, so what it is counts before and after.
  if (!(await stat(absolute)).isFile()) throw notRegular(absolute);
  const encoding = as === 'bytes' ? BINARY : encodingGiven(options.encoding);
  await using file = await open(absolute, READ_REGULAR);
  const opened = await file.stat();
  if (!opened.isFile()) throw notRegular(absolute);
  const identity = guard?.checkOpen({ fd: file.fd, path: absolute });
  const facts = await scanFile(file, opened.size, encoding);
  if (facts.is === 'binary') checkOpens({ absolute, facts, as, wanted: encoding === BINARY });
  else checkWhole(absolute, facts);
  return { value: fileValue({ absolute, facts, as, named: encoding, identity }), facts };
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
    preview: await previewOf(value),
    description,
    notes: notesOf(name, facts),
    empty: facts.characters === 0,
  };
}

const BYTES = { type: 'bytes', unit: 'bytes', preview: undefined } as const;

/** Bytes of the longest character. */
const LONGEST = 4;

async function previewOf(value: FileValue): Promise<string> {
  const { bytes, encoding, skip } = value;
  await using file = await openRegular(value);
  const size = bytes - skip;
  const shown = LONGEST * PREVIEW_CHARS;
  const decode = async (position: number, length: number): Promise<string> =>
    decodeWhole(await readAt(file, position, Math.min(length, bytes - position)), encoding);
  if (size <= shown) return previewText(await decode(skip, size));
  const head = await decode(skip, LONGEST * PREVIEW_HEAD);
  // A code unit of UTF-16 has two bytes. A cut may fall inside a character, which is not shown then.
  const start = skip + 2 * Math.floor((size * MIDDLE_AT) / 2);
  const middle = CUT_ANYWHERE.test(encoding) ? await decode(start, 2 * LONGEST * PREVIEW_MIDDLE) : '';
  const end = LONGEST * (PREVIEW_TAIL + 1);
  // Nothing is shown of the end in an encoding that has states.
  const tail = encoding === 'iso-2022-jp' ? '' : await decode(bytes - end, end);
  return joinPreview({ head, middle, tail: trimmed(tail) });
}

/** Encodings that can be read from any position: other ones with several bytes per character cannot. */
const CUT_ANYWHERE = /^(?:utf-8|utf-16|windows-|iso-8859|koi8|macintosh|ibm866)/;

/** Without the remains of a character that the beginning of a piece cut. */
function trimmed(piece: string): string {
  return piece.replace(/^\ufffd+/, '');
}

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
