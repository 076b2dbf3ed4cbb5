import { documentsContext } from '../context/documents.ts';
import { isBinary, magicKind, UNKNOWN_BINARY } from '../context/file-kinds.ts';
import { shownName } from '../context/file-words.ts';
import { type ContextSource, contextSource } from '../context/input.ts';
import { RlmError } from '../errors.ts';
import type { DocumentValue } from '../repl/port.ts';

/** A file of a message, with its content. */
export interface DoorFile {
  readonly type: 'file';
  /** Default: `file`. */
  readonly name?: string;
  /** IANA media type, or its first half. */
  readonly mediaType: string;
  readonly data: string | Uint8Array;
}

/** Bytes by whose look a file is known to be text. */
const LOOKED_AT = 65_536;

/**
 * Files as a list of documents; undefined without files. Equal names get a suffix.
 *
 * @throws RlmError `context-invalid` for a file that is not UTF-8 text
 */
export function attachedFiles(files: readonly DoorFile[]): ContextSource | undefined {
  if (files.length === 0) return undefined;
  const names = new Set<string>();
  const documents: readonly DocumentValue[] = files.map((file) => ({
    path: freeName(file.name ?? 'file', names),
    content: { kind: 'text', text: textIn(file) },
  }));
  return contextSource(() => Promise.resolve(documentsContext(documents)));
}

function freeName(name: string, names: Set<string>): string {
  let free = name;
  for (let count = 2; names.has(free); count += 1) free = `${name} (${count})`;
  names.add(free);
  return free;
}

const DECODER = new TextDecoder('utf-8', { fatal: true });

function textIn(file: DoorFile): string {
  const { data, mediaType } = file;
  const [, medium] = /^(image|audio|video)(?:\/|$)/.exec(mediaType) ?? [];
  if (medium !== undefined) {
    const remedy = medium === 'image' ? 'describe it in words' : 'transcribe it';
    throw notText(file, `it is of the type ${mediaType}, and messages may hold files of text only: ${remedy} first`);
  }
  if (typeof data === 'string') return data;
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, LOOKED_AT));
  const kind = magicKind(head, false) ?? (isBinary(head, true) ? UNKNOWN_BINARY : undefined);
  if (kind !== undefined) throw notText(file, `it is ${kind.name}, not text: ${kind.remedy ?? 'give its text'}`);
  try {
    return DECODER.decode(data);
  } catch (error) {
    throw notText(file, 'it is not UTF-8 text: convert it first', error);
  }
}

function notText({ name = 'file' }: DoorFile, why: string, cause?: unknown): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The file ${shownName(name)} of the messages cannot be used: ${why}.`,
    userAction: true,
    data: { param: 'messages', file: name },
    cause,
  });
}
