import { RlmError } from '../../errors.ts';
import type { FileValue } from '../../repl/port.ts';
import { documentReader, plainFacts } from '../document-reader.ts';
import type { FileLook } from '../examine-file.ts';
import { byteWords, notesOf } from '../file-words.ts';
import type { LoadedContext } from '../input.ts';
import { previewOfFile } from '../preview-of-file.ts';
import { textTable } from './document-parts.ts';
import { keepIndex } from './text-reader.ts';

/** How a cell uses a text that is read on demand. */
export const READ_ON_DEMAND =
  'it is too large for the REPL and stays on the host: a projection, of which cells read parts. Slices, `in`, `find`, `count`, `search(pattern)`, `chunk()`, `.lines[n]`, `for line in context.open()` and `peek` work at any size; go through it in order and keep only what you need, never all of it';

const LAZY_ROWS =
  'its records are in `.rows`, read on demand: a list of dicts with indices, slices and iteration, and `.columns`';

/** A text file that is larger than the room for it: read by character, by line and by row. */
export async function largeText(
  { value, facts }: FileLook,
  { name, description }: { readonly name: string; readonly description: string },
): Promise<LoadedContext> {
  if (facts.is !== 'text') throw tooLarge(value, 'its bytes');
  const { characters, lines, index } = facts;
  const file: FileValue = { ...value, onDemand: true };
  if (index !== undefined) keepIndex(file, index);
  const document = { path: name, file };
  return {
    value: { kind: 'document', id: '', ...document, facts: plainFacts(document, { characters, lines }) },
    type: 'lazy text',
    size: characters,
    unit: 'characters',
    lines,
    shape: [READ_ON_DEMAND, ...(textTable(name, file) === undefined ? [] : [LAZY_ROWS])].join('; '),
    preview: await previewOfFile(file),
    description,
    notes: notesOf(name, facts),
    empty: characters === 0,
    projection: documentReader([document], 0),
    onDemand: true,
  };
}

/** A text of records that fits the REPL, while all of its rows would not; undefined for other texts. */
export function lazyRows(
  value: FileValue,
  name: string,
): Pick<LoadedContext, 'value' | 'shape' | 'projection'> | undefined {
  if (textTable(name, value) === undefined) return undefined;
  const document = { path: name, file: value };
  return {
    value: { kind: 'document', id: '', ...document, text: value, facts: plainFacts(document, null, true) },
    shape: LAZY_ROWS,
    projection: documentReader([document]),
  };
}

/** The error for a file that has to be in the REPL as a whole, and is too large for that. */
export function tooLarge({ path, bytes }: FileValue, what: string): RlmError {
  return new RlmError({
    code: 'context-length',
    message: `The context file ${path} (${byteWords(bytes)}) is too large for the REPL as ${what}: a quarter of memoryBytes is for contexts. Give more memoryBytes, or give it as text: JSON Lines, CSV and plain text are read on demand at any size.`,
    userAction: true,
    data: { path, bytes },
  });
}
