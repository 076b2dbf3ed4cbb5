import { isConvertedKind } from '../convert/kinds.ts';
import { openRegular } from '../regular-file.ts';
import type { FileValue, ReplValue } from '../repl/port.ts';
import { decodeWhole } from '../text-encoding.ts';
import { convertedText } from './converted-files.ts';
import type { LoadedContext } from './input.ts';
import type { ContextSet } from './load.ts';

/** All of a context as one text, or a clause that says why it has none. */
export type WholeText = { readonly text: string } | { readonly because: string };

/**
 * A context as one text, for a model that reads all of it. Named contexts and documents have a line with their name before
 * them. Files are read here and now, none of them beyond `maxBytes` in total.
 *
 * @throws Error of the file system, for a file that has changed or gone since it was looked at
 */
export async function contextText(set: ContextSet, maxBytes: number): Promise<WholeText> {
  const bytes = contextBytes(set);
  if (bytes > maxBytes) return { because: `the context has ${bytes} bytes, too many to read at once` };
  const named: Iterable<readonly [string, LoadedContext]> =
    set.kind === 'one' ? [['', set.context]] : set.contexts.entries();
  const texts: string[] = [];
  for (const [name, { value }] of named) {
    const whole = await valueText(value);
    if ('because' in whole) return whole;
    texts.push(titled(name, whole.text));
  }
  return { text: texts.join('\n\n') };
}

/** Bytes of a context as far as they are known without reading it: less than a text has in UTF-8 where it is not a file. */
export function contextBytes(set: ContextSet): number {
  const values = set.kind === 'one' ? [set.context.value] : [...set.contexts.values()].map(({ value }) => value);
  return values.reduce((sum, value) => sum + bytesOf(value), 0);
}

type Sized = ReplValue | FileValue;

function bytesOf(value: Sized): number {
  switch (value.kind) {
    case 'text':
      return value.text.length;
    case 'json':
      return value.json.length;
    case 'file':
      return value.bytes;
    case 'bytes':
      return value.data.byteLength;
    case 'document':
      return value.text?.bytes ?? (value.file.onDemand ? value.file.bytes : 0);
    case 'documents':
      return value.documents.reduce((sum, { content }) => sum + bytesOf(content), 0);
    default:
      return 0;
  }
}

async function valueText(value: Sized): Promise<WholeText> {
  switch (value.kind) {
    case 'none':
      return { text: '' };
    case 'text':
      return { text: value.text };
    case 'json':
      return { text: value.json };
    case 'file':
      return await fileText(value);
    case 'bytes':
      return { because: 'an image of the messages has no text' };
    case 'document':
      return value.text === undefined ? { because: `${value.path} has no text` } : await fileText(value.text);
    case 'documents': {
      const texts: string[] = [];
      for (const { path, content } of value.documents) {
        const whole = await valueText(content);
        if ('because' in whole) return whole;
        texts.push(titled(path, whole.text));
      }
      return { text: texts.join('\n\n') };
    }
    case 'projection':
      return { because: 'a projected context stays on the host, and code reads parts of it' };
    case 'mapping':
    case 'alias':
    case 'unavailable':
      return { because: 'the context belongs to a session' };
  }
}

/** The text of a file, or why it has none. */
export async function fileText(file: FileValue): Promise<WholeText> {
  if (isConvertedKind(file.converts)) return { text: await convertedText(file, file.converts) };
  if (file.as === 'bytes') return { because: `${file.name ?? file.path} is not text` };
  await using handle = await openRegular(file);
  const buffer = Buffer.alloc(file.bytes);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return { text: decodeWhole(buffer.subarray(file.skip, bytesRead), file.encoding) };
}

function titled(name: string, text: string): string {
  return name === '' ? text : `--- ${name} ---\n${text}`;
}
