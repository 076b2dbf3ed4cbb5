import { ARCHIVES, isConvertedKind } from '../convert/kinds.ts';
import type { DocumentValue, FileValue } from '../repl/port.ts';
import { archiveContext } from './archive-context.ts';
import { convertValue } from './converted-files.ts';
import { documentContext } from './document-context.ts';
import { describeFile } from './file-words.ts';
import type { LoadedContext } from './input.ts';
import { ContextRoom } from './large/context-room.ts';
import { largeText } from './large/large-text.ts';
import { readText } from './large/text-reader.ts';
import { loadValue } from './load.ts';
import { previewOfFile } from './preview-of-file.ts';

/** One document: its text with the attributes of a document. The file that was looked at is read, and no other one of its path. */
export async function oneDocument(
  { path, content }: DocumentValue,
  room: ContextRoom = new ContextRoom(),
): Promise<LoadedContext> {
  if (content.kind === 'text') return await loadValue(content.text);
  if (content.kind === 'bytes') {
    const { length } = content.data;
    return { value: content, type: 'bytes', size: length, unit: 'bytes', preview: undefined, empty: length === 0 };
  }
  const { converts } = content;
  if (isConvertedKind(converts)) {
    const converted = await convertValue(content, converts);
    return ARCHIVES.has(converts)
      ? await archiveContext(content, converted, { name: path, room })
      : await documentContext(content, converted, { name: path, room });
  }
  if (content.onDemand === true) return await onDemand(content, path);
  const isBytes = content.as === 'bytes';
  return {
    value: { ...content, name: path },
    type: isBytes ? 'bytes' : 'str',
    size: isBytes ? content.bytes : undefined,
    unit: isBytes ? 'bytes' : 'characters',
    preview: isBytes ? undefined : await previewOfFile(content),
    empty: content.bytes === 0,
  };
}

async function onDemand(file: FileValue, name: string): Promise<LoadedContext> {
  const { index } = await readText(file);
  const { encoding, skip, bytes } = file;
  const counted = { characters: index.length, lines: index.lines, index, replaced: false };
  const facts = { is: 'text', source: 'named', encoding, skip, bytes, ...counted } as const;
  return await largeText({ value: file, facts }, { name, description: describeFile(name, facts) });
}
