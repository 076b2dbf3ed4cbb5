import { basename } from 'node:path';
import { isObject, kindOf } from '../argument-checks.ts';
import { defined } from '../defined.ts';
import type { DocumentValue } from '../repl/port.ts';
import { keepInCache } from './copies.ts';
import { documentsContext } from './documents.ts';
import { examine } from './examine-file.ts';
import { type ContextSource, isContextSource, type LoadedContext } from './input.ts';
import { invalidSeed } from './seeds.ts';
import { ATTACHMENT_LABEL_CHARS, MAX_ATTACHMENTS } from './source-limits.ts';
import { mediaTypeOf, nameFor } from './url/media-types.ts';

/** A file or text that goes with a question: an item of `attachments` in the REPL, also by its id: `attachments["receipt"]`. */
export interface Attachment {
  /** A text, the bytes of a file, or a source of one file, such as `fromFile(path)`. */
  readonly content: string | Uint8Array | ContextSource;
  /** Names it. Default: `a1`, `a2` and so on, by its place. */
  readonly id?: string;
  /** Such as `image/png`. Default: not stated; the content decides how it is read. */
  readonly mediaType?: string;
  /** A description in words. Default: none. */
  readonly label?: string;
}

/** @throws RlmError `invalid-seed`; the errors of sources */
export async function loadAttachments(
  given: readonly Attachment[] | ContextSource | undefined,
): Promise<LoadedContext | undefined> {
  if (given === undefined || (Array.isArray(given) && given.length === 0)) return undefined;
  // Those of a run that is resumed.
  if (isContextSource(given)) return await given.load();
  if (!Array.isArray(given)) throw invalidSeed(`The option attachments has to be a list, not ${kindOf(given)}`);
  if (given.length > MAX_ATTACHMENTS)
    throw invalidSeed(`There are ${given.length} attachments, and at most ${MAX_ATTACHMENTS} are taken`);
  const documents: DocumentValue[] = [];
  const ids = new Set<string>();
  for (const [index, attachment] of (given as readonly Attachment[]).entries()) {
    const id = checkedId(attachment, index);
    if (ids.has(id)) throw invalidSeed(`Two attachments have the id "${id}"`, { id });
    ids.add(id);
    documents.push(await documentOf(attachment, id));
  }
  return documentsContext(documents);
}

const ID = /^[\w.:@+-]{1,100}$/;
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:;.{0,200})?$/;

function checkedId(given: unknown, index: number): string {
  const which = `Attachment ${index + 1}`;
  if (!isObject(given)) throw invalidSeed(`${which} has to be an object with content, not ${kindOf(given)}`);
  const { id = `a${index + 1}`, mediaType, label, ...rest } = given;
  if (typeof id !== 'string' || !ID.test(id))
    throw invalidSeed(`${which} has an id that is not 1 to 100 letters, digits or . _ : @ + -`);
  const unknown = Object.keys(rest).find((name) => name !== 'content');
  if (unknown !== undefined) throw invalidSeed(`Attachment ${id} has an unknown field ${unknown}`, { id });
  if (mediaType !== undefined && (typeof mediaType !== 'string' || !MEDIA_TYPE.test(mediaType)))
    throw invalidSeed(`Attachment ${id} has to have a media type such as image/png, not ${kindOf(mediaType)}`, { id });
  if (label !== undefined && (typeof label !== 'string' || label.length > ATTACHMENT_LABEL_CHARS))
    throw invalidSeed(
      `The label of attachment ${id} has to be a text of at most ${ATTACHMENT_LABEL_CHARS} characters`,
      {
        id,
      },
    );
  return id;
}

async function documentOf(attachment: Attachment, id: string): Promise<DocumentValue> {
  const { mediaType, label } = attachment;
  const about = { ...(label !== undefined && { title: label }), attachment: { id, ...defined({ mediaType, label }) } };
  const { content, name } = await contentOf(attachment, id);
  return { path: name ?? nameFor(id, mediaTypeOf(mediaType).type), content, about };
}

interface Content {
  readonly content: DocumentValue['content'];
  readonly name?: string;
}

async function contentOf({ content }: Attachment, id: string): Promise<Content> {
  if (typeof content === 'string') return { content: { kind: 'text', text: content } };
  if (content instanceof Uint8Array) return { content: await fileOf(content) };
  if (!isContextSource(content))
    throw invalidSeed(
      `The content of attachment ${id} has to be a text, bytes, or a source such as fromFile(path), not ${kindOf(content)}`,
      { id },
    );
  const { value } = await content.load();
  if (value.kind === 'text') return { content: value };
  const file = value.kind === 'document' ? value.file : value;
  if (file.kind !== 'file')
    throw invalidSeed(`Attachment ${id} has to be one file, and its source is a list or a value`, { id });
  return { content: file, name: file.name ?? basename(file.path) };
}

/** Bytes as a file: the REPL reads files, and so does a run that is resumed. Of text, its decoded form; of other files their bytes. */
async function fileOf(bytes: Uint8Array): Promise<DocumentValue['content']> {
  const pieces = (async function* () {
    yield bytes;
  })();
  const { path } = await keepInCache(pieces);
  const { value } = await examine(path, { textAsIs: false }).catch(() => examine(path, { as: 'bytes' }));
  return value;
}
