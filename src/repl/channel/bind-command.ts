import { RlmError } from '../../errors.ts';
import { type FileValue, isReadOnDemand, type JsonValue, type ReplBindings, type ReplValue } from '../port.ts';
import { encodeExact } from './frame.ts';
import type { GuestResult } from './guest-command.ts';
import { packDocuments } from './packed-documents.ts';
import { checkResult } from './results.ts';
import { field, readObject, readOptionalInteger } from './shape.ts';

/** How a backend names a file to its guest: fields that the guest's `load_file` understands. */
export type DescribeFile = (value: FileValue) => Promise<Readonly<Record<string, JsonValue>>>;

/** Header and parts of a `bind` command. */
export interface BindCommand {
  readonly header: Readonly<Record<string, unknown>>;
  readonly parts: readonly Buffer[];
}

/** Puts bindings into the form in which the guest takes them: texts as parts, files by the backend's descriptor. */
export async function encodeBindings(bindings: ReplBindings, describeFile: DescribeFile): Promise<BindCommand> {
  const parts: Buffer[] = [];
  const values: Record<string, unknown>[] = [];
  for (const [name, value] of Object.entries(bindings.values ?? {})) {
    values.push({ name, ...(await encodeValue(value, parts, describeFile)) });
  }
  const header: Record<string, unknown> = { values };
  if (bindings.tools !== undefined) {
    header.tools = bindings.tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  }
  if (bindings.output !== undefined) header.output = bindings.output;
  if (bindings.price !== undefined) header.prices = bindings.price && [bindings.price.input, bindings.price.output];
  return { header, parts };
}

async function encodeValue(
  value: ReplValue,
  parts: Buffer[],
  describeFile: DescribeFile,
): Promise<Record<string, unknown>> {
  switch (value.kind) {
    case 'text':
      parts.push(encodeExact(value.text));
      return { kind: 'text' };
    case 'json':
      parts.push(encodeExact(value.json));
      return { kind: 'json' };
    case 'bytes':
      parts.push(Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength));
      return { kind: 'bytes' };
    case 'file':
      return encodeFile(value, describeFile);
    case 'documents':
      return await encodeDocuments(value, parts, describeFile);
    case 'document': {
      const { kind, id, path, facts, file, text } = value;
      // The guest makes a text with attributes of it: the text as it came is not needed again.
      const bound = text === undefined ? null : await encodeFile({ ...text, ...TRANSIENT }, describeFile);
      return { kind, id, path, facts, bytes: file.bytes, text: bound };
    }
    default:
      return { ...value };
  }
}

type DocumentsValue = Extract<ReplValue, { kind: 'documents' }>;

/** The native backend shares no image of such a text. */
const TRANSIENT = { transient: true } as const;

/** Documents of packs come in the order in which the packs hold them: the guest takes the packs apart one by one. */
async function encodeDocuments(
  { documents, id }: DocumentsValue,
  parts: Buffer[],
  describeFile: DescribeFile,
): Promise<Record<string, unknown>> {
  const contents: Record<string, unknown>[] = new Array(documents.length);
  const packs: unknown[] = [];
  for await (const pack of packDocuments(documents)) {
    for (const { index, length } of pack.parts) contents[index] = { kind: 'packed', pack: packs.length, length };
    packs.push(await encodeFile(pack.text, describeFile));
  }
  const encoded: unknown[] = [];
  for (const [index, { path, content, about }] of documents.entries()) {
    if (content.kind === 'file' && isReadOnDemand(content)) {
      encoded.push({ path, about, content: { kind: 'converted', as: content.converts ?? null, bytes: content.bytes } });
      continue;
    }
    const bytes = content.kind === 'file' && content.as === 'bytes';
    const packed = contents[index];
    const form = packed === undefined ? await encodeValue(content, parts, describeFile) : { ...packed, bytes };
    encoded.push({ path, about, content: form });
  }
  return { kind: 'documents', packs, documents: encoded, id: id ?? null };
}

async function encodeFile(value: FileValue, describeFile: DescribeFile): Promise<Record<string, unknown>> {
  const { kind, as, encoding, skip, bytes } = value;
  // A backend that brings it in another encoding says so.
  return { kind, as, encoding, skip, bytes, ...(await describeFile(value)) };
}

/** Raises the error of a `bind` that failed, naming the value as the caller did: a file by its path. */
export function checkBound(result: GuestResult, bindings: ReplBindings): void {
  try {
    checkResult(result);
  } catch (error) {
    if (!RlmError.isInstance(error) || error.code !== 'context-invalid') throw error;
    const index = readOptionalInteger(readObject(field(result.fields, 'error'), 'an error'), 'value', 0, 1e6);
    const entry = index === undefined ? undefined : Object.entries(bindings.values ?? {})[index];
    throw entry === undefined ? error : unreadable(entry, error);
  }
}

function unreadable([name, value]: [string, ReplValue], cause: RlmError): RlmError {
  const file = value.kind === 'file' && value.path !== '' ? value : undefined;
  const subject =
    file === undefined ? `The value of ${name}` : `The file ${file.path}${file.as === 'json' ? ', read as JSON,' : ''}`;
  return new RlmError({
    code: 'context-invalid',
    message: `${subject} cannot be read: ${cause.message}`,
    userAction: true,
    data: file === undefined ? { name } : { path: file.path },
    cause,
  });
}
