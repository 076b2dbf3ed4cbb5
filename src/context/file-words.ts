/**
 * Files in words, for the model and for users. Their names are untrusted: nothing in one can pass for a line of its own.
 *
 * @module
 */

import type { ContextNote } from './input.ts';
import type { FileFacts } from './scan-file.ts';
import { textKind } from './text-kinds.ts';

/** Characters of a name that are shown. */
const NAME_CHARS = 120;

/** Control characters, line ends of Unicode, marks of direction, and the mark that names are put in. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}`]/gu;

/** A name or path on one line, with what does not belong there written out. */
export function shownName(name: string): string {
  const line = name.replace(
    UNFIT,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
  const points = [...line];
  return points.length <= NAME_CHARS ? line : `…${points.slice(1 - NAME_CHARS).join('')}`;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** `24 bytes`, `3.1 MB`: powers of 1 000. */
export function byteWords(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  if (unit === 0) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** Encodings as people write them. */
export function encodingWord(encoding: string): string {
  return /^(?:utf|iso|koi|gbk|gb|big|euc|ibm)/.test(encoding) ? encoding.toUpperCase() : encoding;
}

/** e.g. ``text of `invoices.csv` (CSV, 1.2 MB, UTF-8)``. */
export function describeFile(name: string, facts: FileFacts): string {
  const quoted = `\`${shownName(name)}\``;
  if (facts.is === 'binary') {
    const kind = facts.kind.name.replace(/^an? /, '');
    return `bytes of ${quoted} (${kind}, ${byteWords(facts.bytes)})`;
  }
  const parts = [textKind(name), byteWords(facts.bytes), encodingWord(facts.encoding)];
  return `text of ${quoted} (${parts.filter((part) => part !== undefined).join(', ')})`;
}

/** Notes where a file was not read as plain UTF-8. */
export function notesOf(name: string, facts: FileFacts): readonly ContextNote[] {
  const shown = shownName(name);
  if (facts.is === 'binary') return [];
  const encoding = encodingWord(facts.encoding);
  const notes: ContextNote[] = [];
  if (facts.source === 'guessed' || facts.source === 'declared') {
    const how = facts.source === 'declared' ? `${encoding}, which it declares` : encoding;
    notes.push({
      kind: 'encoding',
      text: `${shown} is not UTF-8: read as ${how}`,
      ...(facts.source === 'guessed' && { forModel: 'the encoding is a guess, so that some letters may be wrong' }),
    });
  }
  if (facts.replaced) {
    notes.push({ kind: 'replaced', text: `${shown} has bytes that are not ${encoding}: they read as U+FFFD` });
  }
  if (facts.bytes - facts.skip === 0) notes.push({ kind: 'empty', text: `${shown} is empty` });
  return notes;
}

/** The file has no letter. */
export function blankNote(name: string): ContextNote {
  return { kind: 'empty', text: `${shownName(name)} holds only blanks` };
}

/** That code gets the bytes of a file, and how it opens them. `bytes` is the expression that code writes for them. */
export function bytesNote(name: string, facts: Extract<FileFacts, { is: 'binary' }>, bytes: string): ContextNote {
  const { opens } = facts.kind;
  return {
    kind: 'bytes',
    text: `${shownName(name)} is ${facts.kind.name}, not text: code gets its bytes`,
    ...(opens !== undefined && { forModel: `open it with ${opens.replaceAll('%', bytes)}` }),
  };
}
