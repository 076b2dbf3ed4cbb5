/**
 * Text that others wrote (models, files, servers), made fit for a terminal: nothing in it can move the cursor, recolour,
 * set the title, or turn the direction of what follows.
 *
 * @module
 */
import type { TextStream } from './console.ts';

/** C0 without tab and line feed, DEL, C1, and the characters that reorder text (Unicode TR36). */
const UNSAFE: RegExp = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text with unsafe characters written out, e.g. `\x1b`. Line ends and tabs stay; CR LF becomes LF. */
export function forTerminal(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The text on one line of at most `width` code points. */
export function onOneLine(text: string, width: number): string {
  const line = forTerminal(text).replace(/\s+/g, ' ').trim();
  const points = [...line];
  return points.length <= width ? line : `${points.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Writes a value as one line of JSON. On a terminal nothing in it can act on the terminal, and it stays the same value. */
export function writeJson(stream: TextStream, value: unknown): void {
  stream.write(`${jsonFor(stream, value)}\n`);
}

/** A value as JSON. For a terminal, unsafe characters that JSON allows are escaped as well. */
export function jsonFor({ isTTY }: Pick<TextStream, 'isTTY'>, value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  return isTTY === true ? json.replace(UNSAFE, escaped) : json;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
