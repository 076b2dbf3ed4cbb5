/**
 * Small files of a list of documents, packed into few texts: a descriptor and a message for each would be the end at a
 * thousand files, and slow long before.
 *
 * @module
 */
import { closeSync, readFileSync } from 'node:fs';
import { countCharacters } from '../../code-points.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { openRegularNow } from '../../regular-file.ts';
import { decodeWhole } from '../../text-encoding.ts';
import { createTimeSlices } from '../../time-slices.ts';
import { type DocumentValue, type FileValue, isReadOnDemand } from '../port.ts';

/** A text of the host's memory that takes the way of files. It never touches a disk. */
export interface MemoryText extends FileValue {
  readonly text: string;
  /** It is taken apart as soon as it has arrived: nothing shares it, and nothing needs it again. */
  readonly transient?: true;
}

/** Bytes from which a file goes its own way, by a descriptor of its own. */
const LARGE_FILE_BYTES = 1024 * 1024;
/** Descriptors that one list takes: a native REPL has 1 024 in all. */
const MAX_LARGE_FILES = 256;
/** Where there are more, these are packed as well. Of larger ones no REPL holds that many. */
const HUGE_FILE_BYTES = 64 * 1024 * 1024;
/** Bytes of files in a pack, of which the last may exceed it. Files are read and sent pack by pack. */
const PACK_BYTES = 8 * 1024 * 1024;

/** Some documents as one text. */
export interface Pack {
  readonly text: MemoryText;
  /** Of each document its place in the list and its code points. */
  readonly parts: readonly { readonly index: number; readonly length: number }[];
}

type FileDocument = DocumentValue & { readonly content: FileValue };
type Placed = readonly [index: number, document: FileDocument];

/** The documents that are packed, in the order of the list, read as they are needed. */
export async function* packDocuments(documents: readonly DocumentValue[]): AsyncGenerator<Pack> {
  const files = [...documents.entries()].filter((entry): entry is [number, FileDocument] => isFile(entry[1]));
  const large = files.filter(([, { content }]) => content.bytes >= LARGE_FILE_BYTES).length;
  const below = large > MAX_LARGE_FILES ? HUGE_FILE_BYTES : LARGE_FILE_BYTES;
  const pause = createTimeSlices();
  let batch: Placed[] = [];
  let bytes = 0;
  for (const entry of files) {
    const { content } = entry[1];
    if (content.bytes >= below) continue;
    batch.push(entry);
    bytes += content.bytes;
    if (bytes < PACK_BYTES) continue;
    yield await pack(batch, pause);
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield await pack(batch, pause);
}

function isFile({ content }: DocumentValue): boolean {
  return content.kind === 'file' && content.as !== 'json' && !isReadOnDemand(content) && !('text' in content);
}

async function pack(batch: readonly Placed[], pause: () => Promise<void>): Promise<Pack> {
  const texts: string[] = [];
  for (const [, { content }] of batch) {
    await pause();
    texts.push(readText(content));
  }
  return {
    text: memoryText({ path: 'packed documents', text: texts.join(''), transient: true }),
    parts: batch.map(([index], at) => ({ index, length: countCharacters(texts[at] ?? '') })),
  };
}

/** A text of the host's memory, with the fields of a file. */
export function memoryText(parts: {
  readonly path: string;
  readonly text: string;
  readonly as?: FileValue['as'];
  readonly transient?: true;
}): MemoryText {
  return { kind: 'file', bytes: parts.text.length, encoding: 'utf-8', skip: 0, as: 'text', ...parts };
}

function readText(value: FileValue): string {
  const { path, bytes, encoding, skip } = value;
  const content = readWhole(value);
  if (content.length === bytes) return decodeWhole(content.subarray(skip), encoding);
  const change = `it had ${bytes} bytes when it was looked at and has ${content.length} now`;
  throw unreadable(path, change, 'context-invalid');
}

function readWhole(value: FileValue): Buffer {
  try {
    const file = openRegularNow(value);
    try {
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw unreadable(value.path, messageOf(error), missing ? 'context-not-found' : 'context-invalid');
  }
}

function unreadable(path: string, why: string, code: 'context-not-found' | 'context-invalid'): RlmError {
  return new RlmError({
    code,
    message: `The file ${path} cannot be used as a context: ${why}.`,
    userAction: true,
    data: { path },
  });
}
