/**
 * Searches that the parser is built of. All of them, and every loop over characters, go through methods of `String` and
 * `RegExp`: the test of linearity counts their work there.
 */

/**
 * The index of the first character at or after `from` that `pattern` matches, or -1.
 *
 * @param pattern global, and exactly one character long: a search keeps no backtracking stack, so that no length of text
 * can overflow it (a repeated group would, at some 10 MB).
 */
export function search(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex - 1 : -1;
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
  while (text.charAt(at) === character) at += 1;
  return at - from;
}
