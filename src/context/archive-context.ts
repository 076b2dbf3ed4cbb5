import type { ConvertedFile } from '../convert/convert-file.ts';
import { kindName } from '../convert/kinds.ts';
import type { FileValue } from '../repl/port.ts';
import { documentsContext } from './documents.ts';
import { byteWords, shownName } from './file-words.ts';
import type { LoadedContext } from './input.ts';
import type { FileUse } from './large/context-room.ts';
import { memberDocuments } from './member-documents.ts';

/** An archive, a mailbox: the list of the documents in it. */
export async function archiveContext(
  file: FileValue,
  { conversion, ...converted }: ConvertedFile,
  { name, room }: Required<FileUse>,
): Promise<LoadedContext> {
  const { documents, left } = await memberDocuments({ conversion, ...converted });
  const reported = conversion.notes.map((note) => ({ kind: 'left-out', text: `${shownName(name)}: ${note}` }) as const);
  const notes = [...reported, ...(left === undefined ? [] : [left])];
  const context = documentsContext(documents, { notes, room });
  const messages = conversion.kind === 'mbox' ? mailWords(conversion.meta) : '';
  const what = `${kindName(conversion.kind)}, ${byteWords(file.bytes)}${messages}`;
  return { ...context, description: `\`${shownName(name)}\` (${what}): ${context.description ?? ''}` };
}

/** A mailbox has no title: `.title` of its messages is the subject. */
function mailWords({ messages, attachments }: ConvertedFile['conversion']['meta']): string {
  const attached = typeof attachments === 'number' ? `, ${attachments} attachments` : '';
  return `, ${String(messages)} messages${attached}, each with its subject as \`.title\`, and \`from\`, \`to\` and \`date\` in \`.meta\``;
}
