import { documentsContext } from '../context/documents.ts';
import { isBinary, magicKind, UNKNOWN_BINARY } from '../context/file-kinds.ts';
import { shownName } from '../context/file-words.ts';
import { type ContextSource, contextSource } from '../context/input.ts';
import { RlmError } from '../errors.ts';
import { ModelImage } from '../model/image.ts';
import type { DocumentValue } from '../repl/port.ts';
import { DOOR_IMAGE_BYTES, DOOR_IMAGES } from './limits.ts';

/** A file of a message, with its content. */
export interface DoorFile {
  readonly type: 'file';
  /** Default: `file`, or `image-1.png` and so on. */
  readonly name?: string;
  /** IANA media type, or its first half. */
  readonly mediaType: string;
  readonly data: string | Uint8Array;
}

/** A file under the name that its document has. */
export interface NamedFile extends DoorFile {
  readonly name: string;
}

/** Gives each file a name of its own, in order. */
export function fileNames(): (file: DoorFile) => NamedFile {
  const names = new Set<string>();
  let images = 0;
  return (file) => {
    if (isImage(file)) images += 1;
    const own = isImage(file) ? `image-${images}${isPng(file.data) ? '.png' : '.jpg'}` : 'file';
    return { ...file, name: freeName(file.name ?? own, names) };
  };
}

/** Bytes by whose look a file is known to be text. */
const LOOKED_AT = 65_536;

/**
 * Files as a list of documents; undefined without files. Images are documents with `.bytes`.
 *
 * @throws RlmError `context-invalid` for a file that is neither UTF-8 text nor a PNG or JPEG image, and for too many images
 */
export function attachedFiles(files: readonly NamedFile[]): ContextSource | undefined {
  if (files.length === 0) return undefined;
  const images = files.filter(isImage).length;
  if (images > DOOR_IMAGES) throw tooManyImages(images);
  const documents: readonly DocumentValue[] = files.map(documentOf);
  return contextSource(() => Promise.resolve(documentsContext(documents)));
}

function documentOf(file: NamedFile): DocumentValue {
  if (!isImage(file)) return { path: file.name, content: { kind: 'text', text: textIn(file) } };
  const data = typeof file.data === 'string' ? Buffer.from(file.data, 'base64') : file.data;
  if (data.byteLength > DOOR_IMAGE_BYTES) {
    const why = `it has ${data.byteLength} bytes, and an image may have ${DOOR_IMAGE_BYTES} (DOOR_IMAGE_BYTES): make it smaller`;
    throw notUsable(file, why);
  }
  const { mediaType, width, height } = imageOf(file, data).reference;
  const meta = { kind: 'image', format: mediaType === 'image/png' ? 'png' : 'jpeg', width, height };
  return { path: file.name, content: { kind: 'bytes', data }, about: { meta } };
}

function imageOf(file: NamedFile, data: Uint8Array): ModelImage {
  try {
    return new ModelImage(data);
  } catch (error) {
    if (!RlmError.isInstance(error)) throw error;
    throw notUsable(file, 'it is neither a PNG nor a JPEG image, or it is damaged: convert it to PNG first', error);
  }
}

function isImage({ mediaType }: DoorFile): boolean {
  return /^image(?:\/|$)/.test(mediaType) && !mediaType.startsWith('image/svg');
}

function isPng(data: DoorFile['data']): boolean {
  return typeof data !== 'string' && data[0] === 0x89;
}

function freeName(name: string, names: Set<string>): string {
  let free = name;
  for (let count = 2; names.has(free); count += 1) free = `${name} (${count})`;
  names.add(free);
  return free;
}

const DECODER = new TextDecoder('utf-8', { fatal: true });

function textIn(file: NamedFile): string {
  const { data, mediaType } = file;
  if (/^(?:audio|video)(?:\/|$)/.test(mediaType)) {
    throw notUsable(
      file,
      `it is of the type ${mediaType}, and messages may hold texts and images: transcribe it first`,
    );
  }
  if (typeof data === 'string') return data;
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, LOOKED_AT));
  const kind = magicKind(head, false) ?? (isBinary(head, true) ? UNKNOWN_BINARY : undefined);
  if (kind !== undefined) throw notUsable(file, `it is ${kind.name}, not text: ${kind.remedy ?? 'give its text'}`);
  try {
    return DECODER.decode(data);
  } catch (error) {
    throw notUsable(file, 'it is not UTF-8 text: convert it first', error);
  }
}

function notUsable({ name }: NamedFile, why: string, cause?: unknown): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The file ${shownName(name)} of the messages cannot be used: ${why}.`,
    userAction: true,
    data: { param: 'messages', file: name },
    cause,
  });
}

function tooManyImages(images: number): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The messages hold ${images} images, and a request may have ${DOOR_IMAGES} (DOOR_IMAGES): leave out those that do not matter.`,
    userAction: true,
    data: { param: 'messages', images },
  });
}
