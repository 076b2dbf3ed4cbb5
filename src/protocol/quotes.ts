import { countScanned, indexOf } from './scan.ts';

/** What opens and closes a string literal. */
export type Quote = "'" | '"' | "'''" | '"""';

/** A quote that opens a string of several lines in Python. */
export function isTriple(quote: Quote): boolean {
  return quote.length === 3;
}

/** The quote at `at`, where `'` or `"` must stand: triple if three of them stand there. */
export function quoteAt(text: string, at: number): Quote {
  if (text[at] === "'") return text.startsWith("'''", at) ? "'''" : "'";
  return text.startsWith('"""', at) ? '"""' : '"';
}

/** The quote character at `at` taken alone, even where three stand. */
export function singleQuoteAt(text: string, at: number): Quote {
  return text[at] === "'" ? "'" : '"';
}

/**
 * Where the string whose body begins at `from` ends: the index after its closing quote, or -1. Whether a quote closes
 * depends only on the backslashes right before it, so a search that failed once need never be made again further on.
 */
export function closeQuote(text: string, from: number, quote: Quote): number {
  let at = indexOf(text, quote, from);
  while (at !== -1 && isEscaped(text, at, from)) at = indexOf(text, quote, at + 1);
  return at === -1 ? -1 : at + quote.length;
}

/** As {@link closeQuote}, in text that may be prose: an apostrophe closes nothing. */
export function closeProtectingQuote(text: string, from: number, quote: Quote): number {
  let end = closeQuote(text, from, quote);
  while (end !== -1 && quote === "'" && isApostrophe(text, end - 1)) end = closeQuote(text, end, quote);
  return end;
}

/** True if an odd number of backslashes stands right before `at`, not looking back beyond `from`. */
function isEscaped(text: string, at: number, from: number): boolean {
  let before = at;
  while (before > from && text[before - 1] === '\\') before -= 1;
  countScanned(at - before);
  return (at - before) % 2 === 1;
}

const letter = /\p{L}/u;
const letterOrDigit = /[\p{L}\p{N}]/u;
const prefixAlone = /(?:^|[^\p{L}\p{N}_])(?:[rbfu]|br|rb|fr|rf)$/iu;

/**
 * An apostrophe, as in "it's": a `'` after a letter or digit and before a letter is no quote, unless what stands before it
 * is one of Python's string prefixes (`r'…'`, `b'…'`, `f'…'`, `u'…'`).
 */
export function isApostrophe(text: string, at: number): boolean {
  if (text[at] !== "'" || !letter.test(text.charAt(at + 1)) || !letterOrDigit.test(text.charAt(at - 1))) return false;
  return !prefixAlone.test(text.slice(Math.max(0, at - 3), at));
}
