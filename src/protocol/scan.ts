/**
 * The only places where the parser looks at characters one after another. Each adds what it looked at to one counter, so
 * that a test can prove by counting, not by the clock, that the parser is linear.
 */

let looked = 0;

/** Characters the parser has looked at since the process started. Only differences mean something; only tests read it. */
export function scannedCharacters(): number {
  return looked;
}

/** Adds `characters` to the count, for a pass that a built-in makes over a text (`slice`, `trim`, `replace`). */
export function countScanned(characters: number): void {
  looked += characters + 1;
}

/** `text.indexOf`, counted. */
export function indexOf(text: string, needle: string, from: number): number {
  const at = text.indexOf(needle, from);
  looked += (at === -1 ? text.length : at) - from + 1;
  return at;
}

/**
 * The index of the first character at or after `from` that `pattern` matches, or -1.
 *
 * @param pattern global, and exactly one character long: a search keeps no backtracking stack, so that no length of text
 * can overflow it (a repeated group would, at some 10 MB).
 */
export function search(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  const at = pattern.test(text) ? pattern.lastIndex - 1 : -1;
  looked += (at === -1 ? text.length : at) - from + 1;
  return at;
}

const notBlank = /[^ \t]/g;

/** The index of the first character at or after `from` that is neither space nor tab; the length if there is none. */
export function skipBlanks(text: string, from: number): number {
  const code = text.charCodeAt(from);
  if (code !== 32 && code !== 9) return Math.min(from, text.length);
  const at = search(notBlank, text, from);
  return at === -1 ? text.length : at;
}

/** How many characters in a row, from `from` on, are `character`. */
export function runLength(text: string, from: number, character: string): number {
  let at = from;
  while (text[at] === character) at += 1;
  looked += at - from + 1;
  return at - from;
}
