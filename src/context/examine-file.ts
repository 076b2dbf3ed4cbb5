/**
 * Looks at a file: what it is, and how a REPL gets it.
 *
 * @module
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ConvertedKind } from '../convert/kinds.ts';
import { RlmError } from '../errors.ts';
import { READ_REGULAR } from '../regular-file.ts';
import type { FileValue } from '../repl/port.ts';
import { BINARY, decodeWhole, type TextEncoding } from '../text-encoding.ts';
import type { Guarded } from './file-guard.ts';
import { encodingGiven } from './file-options.ts';
import { scanOnce } from './large/scan-once.ts';
import { type FileFacts, readAt } from './scan-file.ts';
import { documentKindOf, TEXT_HEAD_BYTES } from './text-kinds.ts';

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

/** How a set of files is looked at. */
export interface ExamineOptions {
  /** Pages, mails and notebooks stay the text that they are: those found in a folder are often sources of a program. */
  readonly textAsIs?: boolean;
}

/** A file that can be a context: what it is, and how a REPL gets it. */
export interface FileLook {
  readonly value: FileValue;
  readonly facts: FileFacts;
}

/** @throws RlmError `context-invalid` for what is not a regular file, and for one that no option makes usable */
export async function examine(absolute: string, options: FileOptions & Guarded & ExamineOptions): Promise<FileLook> {
  const { as = 'text', guard } = options;
  const byKind = options.as === undefined && options.encoding === undefined;
  const { textAsIs = false } = options;
  // Opening a device may do something, so what it is counts before and after.
  if (!(await stat(absolute)).isFile()) throw notRegular(absolute);
  const encoding = as === 'bytes' ? BINARY : encodingGiven(options.encoding);
  await using file = await open(absolute, READ_REGULAR);
  const opened = await file.stat({ bigint: true });
  if (!opened.isFile()) throw notRegular(absolute);
  const identity = guard?.checkOpen({ fd: file.fd, path: absolute });
  const facts = await scanOnce(file, opened, encoding);
  const converts =
    byKind && !(textAsIs && facts.is === 'text') ? await convertedKind(file, facts, absolute) : undefined;
  if (facts.is === 'text') checkWhole(absolute, facts);
  else if (converts === undefined) checkOpens({ absolute, facts, as, wanted: encoding === BINARY });
  const modified = String(opened.mtimeNs);
  const value = fileValue({ absolute, facts, as, named: encoding, identity, modified });
  return {
    value: converts === undefined ? value : { ...value, as: 'bytes', encoding: BINARY, skip: 0, converts },
    facts,
  };
}

/** The kind of document that a converter makes of it. */
async function convertedKind(file: FileHandle, facts: FileFacts, path: string): Promise<ConvertedKind | undefined> {
  if (facts.is === 'binary') return facts.kind.converts;
  const head = await readAt(file, facts.skip, Math.min(TEXT_HEAD_BYTES, facts.bytes - facts.skip));
  return documentKindOf(decodeWhole(head, facts.encoding), path);
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
  readonly modified: string;
}): FileValue {
  const { absolute, facts, as, named, identity, modified } = look;
  const text = facts.is === 'text';
  return {
    kind: 'file',
    path: absolute,
    bytes: facts.bytes,
    encoding: text ? facts.encoding : BINARY,
    skip: text ? facts.skip : 0,
    as: text ? as : 'bytes',
    modified,
    ...(named !== undefined && { named }),
    ...(identity !== undefined && { identity }),
  };
}

/** The error for a file that cannot be a context; `why` is a clause. */
export function notUsable(
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

/** True for a file that is text of no kind, as opposed to one that cannot be opened. */
export function isBinaryRefusal(error: unknown): boolean {
  return RlmError.isInstance(error) && isRecordOfBinary(error.data);
}

function isRecordOfBinary(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'binary' in data;
}
