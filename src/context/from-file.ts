import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { countCharacters } from '../code-points.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { FileValue } from '../repl/port.ts';
import { checkFileOptions, checkPath, encodingOf, whyNoPath } from './file-options.ts';
import { type ContextSource, contextSource, type LoadedContext } from './input.ts';
import { joinPreview, PREVIEW_HEAD, PREVIEW_TAIL } from './preview.ts';

/** How a file is read. */
export interface FileOptions {
  /** `json`: parsed by Python, integers exact. Default `text`. */
  readonly as?: 'text' | 'json';
  /** Default: by its byte-order mark, else UTF-8. A mark is never part of the text. Other usual spellings are understood. */
  readonly encoding?: FileValue['encoding'];
}

/**
 * A file as context. Its body is never read into this process: the REPL maps it.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'Who wrote it?', context: fromFile('book.txt') });
 * ```
 */
export function fromFile(path: string, options: FileOptions = {}): ContextSource {
  return contextSource(() => lookAtFile(path, options));
}

/** What is known of a file from its size, its first and its last bytes. */
export async function lookAtFile(path: string, options: FileOptions): Promise<LoadedContext> {
  checkPath('fromFile', path);
  checkFileOptions('fromFile', options);
  const absolute = resolve(path);
  try {
    const facts = await stat(absolute);
    if (!facts.isFile())
      throw notUsable('context-invalid', absolute, 'it is not a regular file; use fromFiles for a folder');
    await using file = await open(absolute, 'r');
    const head = await readAt(file, 0, Math.min(facts.size, 4 * PREVIEW_HEAD + 4));
    const tail = await readAt(file, Math.max(0, facts.size - 4 * PREVIEW_TAIL), Math.min(facts.size, 4 * PREVIEW_TAIL));
    return describe({ path: absolute, bytes: facts.size, head, tail, options });
  } catch (error) {
    if (RlmError.isInstance(error)) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const noPath = missing ? whyNoPath(path) : undefined;
    if (noPath !== undefined) throw notUsable('context-not-found', path, noPath);
    throw notUsable(missing ? 'context-not-found' : 'context-invalid', absolute, messageOf(error));
  }
}

async function readAt(file: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

interface FileLook {
  readonly path: string;
  readonly bytes: number;
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly options: FileOptions;
}

function describe(look: FileLook): LoadedContext {
  const mark = byteOrderMark(look.head);
  const encoding = encodingOf(look.options.encoding, mark?.encoding);
  const skip = mark !== undefined && mark.encoding === encoding ? mark.bytes : 0;
  if (encoding.startsWith('utf-16') && (look.bytes - skip) % 2 !== 0) {
    throw notUsable(
      'context-invalid',
      look.path,
      `it has an odd number of bytes, which is no ${encoding}: it is cut short`,
    );
  }
  const value: FileValue = {
    kind: 'file',
    path: look.path,
    bytes: look.bytes,
    encoding,
    skip,
    as: look.options.as ?? 'text',
  };
  const body = look.head.subarray(skip);
  return {
    value,
    ...(value.as === 'json'
      ? { type: 'JSON', size: undefined, unit: 'characters' }
      : { type: 'str', ...sizeOf(look, body, encoding) }),
    preview: previewOf(look, body, encoding),
    empty: look.bytes - skip === 0,
  };
}

/** In characters where they are known without reading the whole file. */
function sizeOf(look: FileLook, body: Buffer, encoding: FileValue['encoding']): Pick<LoadedContext, 'size' | 'unit'> {
  const bytes = look.bytes - (look.head.length - body.length);
  if (encoding === 'latin-1') return { size: bytes, unit: 'characters' };
  // What is no text of its encoding is counted by Python alone.
  const whole = look.bytes <= look.head.length ? decodeExact(body, encoding) : undefined;
  if (whole !== undefined) return { size: countCharacters(whole), unit: 'characters' };
  return { size: bytes, unit: encoding === 'utf-8' ? 'bytes of UTF-8' : 'bytes of UTF-16' };
}

function previewOf(look: FileLook, body: Buffer, encoding: FileValue['encoding']): string {
  const head = decode(body, encoding);
  if (look.bytes <= look.head.length && head.length <= PREVIEW_HEAD + PREVIEW_TAIL) return head;
  return joinPreview(head, decode(look.tail, encoding));
}

function byteOrderMark(head: Buffer): { encoding: FileValue['encoding']; bytes: number } | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', bytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', bytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', bytes: 2 };
  return undefined;
}

/** Undefined for bytes that are no text of this encoding. */
function decodeExact(bytes: Buffer, encoding: Exclude<FileValue['encoding'], 'latin-1'>): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Lenient on purpose: the cut at either end may fall inside a character. */
function decode(bytes: Buffer, encoding: FileValue['encoding']): string {
  if (encoding === 'latin-1') return bytes.toString('latin1');
  if (encoding === 'utf-16be')
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  return bytes.toString(encoding === 'utf-8' ? 'utf8' : 'utf16le').replaceAll('\ufffd', '');
}

/** Whether bytes are binary: a NUL among them, as for grep and git; UTF-16 with its mark is text. */
export function looksBinary(head: Buffer): boolean {
  return head.includes(0) && byteOrderMark(head)?.encoding.startsWith('utf-16') !== true;
}

function notUsable(code: 'context-not-found' | 'context-invalid', path: string, why: string): RlmError {
  return new RlmError({
    code,
    message: `The context file ${path} cannot be used: ${why}.`,
    userAction: true,
    data: { path },
  });
}

/** SHA-256 of a file's bytes, in hex, without reading it into memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
