import { ARCHIVES, isConvertedKind } from '../convert/kinds.ts';
import type { DocumentValue } from '../repl/port.ts';
import { archiveContext } from './archive-context.ts';
import { convertValue } from './converted-files.ts';
import { documentContext } from './document-context.ts';
import type { LoadedContext } from './input.ts';
import { loadValue } from './load.ts';
import { previewOfFile } from './preview-of-file.ts';

/** One document: its text with the attributes of a document. The file that was looked at is read, and no other one of its path. */
export async function oneDocument({ path, content }: DocumentValue): Promise<LoadedContext> {
  if (content.kind === 'text') return await loadValue(content.text);
  if (content.kind === 'bytes') {
    const { length } = content.data;
    return { value: content, type: 'bytes', size: length, unit: 'bytes', preview: undefined, empty: length === 0 };
  }
  const { converts } = content;
  if (isConvertedKind(converts)) {
    const converted = await convertValue(content, converts);
    return ARCHIVES.has(converts)
      ? await archiveContext(content, converted, path)
      : await documentContext(content, converted, path);
  }
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
