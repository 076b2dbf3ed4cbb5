import { isConvertedKind, kindName } from '../convert/kinds.ts';
import { type DocumentValue, type FileValue, isReadOnDemand } from '../repl/port.ts';
import { documentReader, readable } from './document-reader.ts';
import { byteWords, shownName } from './file-words.ts';
import type { ContextNote, LoadedContext } from './input.ts';
import { ContextRoom } from './large/context-room.ts';
import { MIDDLE_AT, PREVIEW_CHARS, previewText } from './preview.ts';

/** Ends of names, and folders, that are counted for the model. */
const COUNTED = 8;

/** A list of documents as a context: how many of what kind and where, then their paths and sizes as its preview. */
export function documentsContext(
  all: readonly DocumentValue[],
  {
    notes = [],
    room = new ContextRoom(),
  }: { readonly notes?: readonly ContextNote[]; readonly room?: ContextRoom } = {},
): LoadedContext {
  const onDemand = !room.take(boundBytes(all));
  const documents = onDemand ? all.map(readOnDemand) : all;
  const converted = readable(documents).filter(({ file }) => isReadOnDemand(file));
  return {
    value: { kind: 'documents', documents },
    type: `list of documents with .path and .text${converted.length === 0 ? '' : ', .pages, .tables and .meta'}`,
    size: documents.length,
    unit: 'documents',
    preview: previewText(listed(documents).map(lineOf).join('\n')),
    description: describeDocuments(documents),
    notes,
    empty: documents.length === 0,
    ...(converted.length > 0 && {
      shape: [...(onDemand ? [onDemandWords(room.wholeTextBytes)] : []), ...convertedWords(converted)].join('; '),
      projection: documentReader(converted, room.wholeTextBytes),
    }),
    ...(onDemand && { onDemand }),
  };
}

function onDemandWords(wholeTextBytes: number): string {
  return `together they are too large for the REPL: each is read from the host when a cell uses its \`.text\`, so that you can go through all of them in one loop and keep only what you find; a \`.text\` of more than ${byteWords(wholeTextBytes)} is itself read on demand, with slices, \`.lines\`, \`find\`, \`search\`, \`chunk\` and \`open()\``;
}

/** Bytes that the texts of a list take in the REPL. Converted files are read on demand anyway. */
function boundBytes(documents: readonly DocumentValue[]): number {
  return documents.reduce((sum, { content }) => {
    if (content.kind === 'file') return sum + (isReadOnDemand(content) ? 0 : content.bytes);
    return sum + (content.kind === 'text' ? content.text.length : content.data.length);
  }, 0);
}

function readOnDemand(document: DocumentValue): DocumentValue {
  const { content } = document;
  return content.kind === 'file' && !isReadOnDemand(content)
    ? { ...document, content: { ...content, onDemand: true } }
    : document;
}

/** e.g. `converted when a cell uses them: PDF 12, Excel workbook 3`. */
function convertedWords(documents: readonly { readonly file: FileValue }[]): readonly string[] {
  const kinds = documents.flatMap(({ file }) => (isConvertedKind(file.converts) ? [kindName(file.converts)] : []));
  return kinds.length === 0 ? [] : [`converted when a cell uses them: ${countsOf(kinds)}`];
}

/** The documents that a preview can show: each takes a line of two characters at least. */
function listed(documents: readonly DocumentValue[]): readonly DocumentValue[] {
  const { length } = documents;
  if (length <= 3 * PREVIEW_CHARS) return documents;
  const middle = Math.floor(length * MIDDLE_AT);
  const starts = [0, middle, length - PREVIEW_CHARS];
  return starts.flatMap((start) => documents.slice(start, start + PREVIEW_CHARS));
}

function lineOf({ path, content }: DocumentValue): string {
  return `${shownName(path)} (${byteWords(bytesOf(content))})`;
}

/** e.g. `412 files, 3.1 MB: .ts 300, .md 112; in src 400, docs 12`. */
function describeDocuments(documents: readonly DocumentValue[]): string {
  const bytes = documents.reduce((sum, { content }) => sum + bytesOf(content), 0);
  const head = `${documents.length === 1 ? '1 file' : `${documents.length} files`}, ${byteWords(bytes)}`;
  if (documents.length === 1) return head;
  const ends = countsOf(
    documents.map(({ path }) => /[^/.](\.[^/.]{1,16})$/.exec(path)?.[1]?.toLowerCase() ?? 'no suffix'),
  );
  const folders = countsOf(documents.flatMap(({ path }) => (path.includes('/') ? [topFolder(path)] : [])));
  return `${head}: ${ends}${folders === '' ? '' : `; in ${folders}`}`;
}

function bytesOf(content: DocumentValue['content']): number {
  if (content.kind === 'file') return content.bytes;
  return content.kind === 'bytes' ? content.data.byteLength : Buffer.byteLength(content.text);
}

function topFolder(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === '' ? `/${second}` : first;
}

function countsOf(labels: readonly string[]): string {
  const counts = [...Map.groupBy(labels, (label) => label)].map(([label, all]) => [label, all.length] as const);
  counts.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = counts.slice(0, COUNTED).map(([label, count]) => `${shownName(label)} ${count}`);
  return (counts.length > COUNTED ? [...shown, '…'] : shown).join(', ');
}
