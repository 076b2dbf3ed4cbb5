/**
 * The parser's readers of text: searches, list markers, string literals of Python. All of it, every loop over
 * characters included, goes through methods of `String` and `RegExp`: the test of linearity counts their work there.
 *
 * @module
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

/** The index of the first character at or after `from` that is neither space nor tab; the length of the text where only these follow. */
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

/** The index after blanks and list markers (`-`, `+`, `*`, `•`, `1.`, `1)`) at `from`. */
export function skipListMarkers(line: string, from: number): number {
  let at = skipBlanks(line, from);
  for (;;) {
    const end = listMarkerEnd(line, at);
    if (end === at) return at;
    at = skipBlanks(line, end);
  }
}

/** The index after a list marker at `at`; `at` itself where no marker begins. A blank follows a marker. */
export function listMarkerEnd(line: string, at: number): number {
  const code = line.charCodeAt(at);
  let end = at;
  if (code === 45 || code === 43 || code === 42 || code === 0x2022) end = at + 1;
  else if (code >= 48 && code <= 57) end = numberMarkerEnd(line, at);
  if (end === at) return at;
  const after = line.charCodeAt(end);
  return after === 32 || after === 9 ? end : at;
}

const digits = '0123456789';

function numberMarkerEnd(line: string, at: number): number {
  let end = at;
  while (end < line.length && digits.includes(line.charAt(end))) end += 1;
  return line[end] === '.' || line[end] === ')' ? end + 1 : at;
}

/** A Python (or JSON) string literal found in a text. */
export interface Literal {
  /** Index after its closing quote. */
  readonly end: number;
  /** Its prefix letters, lower case: '' or r, b, f, u and pairs of them. */
  readonly prefix: string;
  /** Its text with the escapes processed; with an `r` prefix as written. */
  readonly value: string;
}

const stringPrefix = /(?:[rbfu]|br|rb|fr|rf)?(?=['"])/iy;

/** The prefix letters of a string literal that begins at `at`, lower case, or undefined if none begins there. */
export function literalPrefixAt(text: string, at: number): string | undefined {
  stringPrefix.lastIndex = at;
  return stringPrefix.exec(text)?.[0].toLowerCase();
}

/** The string literal that begins at `at`. A single-quoted one may span lines: models write it so, whatever Python says. */
export function literalAt(text: string, at: number): Literal | undefined {
  const prefix = literalPrefixAt(text, at);
  if (prefix === undefined) return undefined;
  const open = at + prefix.length;
  const quote = quoteAt(text, open);
  const end = closeQuote(text, open + quote.length, quote);
  if (end === -1) return undefined;
  const body = text.slice(open + quote.length, end - quote.length);
  return { end, prefix, value: prefix.includes('r') ? body : processEscapes(body) };
}

const knownEscape = /\\(?:\n|[\\'"abfnrtv]|[0-7]{1,3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})/g;

const controlEscapes: Readonly<Record<string, string>> = {
  '\n': '',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The text that a literal's body means, by Python's escapes. An escape Python does not know stays as it is. */
export function processEscapes(body: string): string {
  if (!body.includes('\\')) return body;
  return body.replace(knownEscape, (whole) => {
    const kind = whole.charAt(1);
    const control = controlEscapes[kind];
    if (control !== undefined) return control;
    if (kind >= '0' && kind <= '7') return String.fromCodePoint(Number.parseInt(whole.slice(1), 8));
    if (whole.length === 2) return kind;
    const codePoint = Number.parseInt(whole.slice(2), 16);
    return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : whole;
  });
}

/** The delimiter of a string literal. */
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
  let at = text.indexOf(quote, from);
  while (at !== -1 && isEscaped(text, at, from)) at = text.indexOf(quote, at + 1);
  return at === -1 ? -1 : at + quote.length;
}

/** As {@link closeQuote}, in text that may be prose: an apostrophe closes nothing. */
export function closeProtectingQuote(text: string, from: number, quote: Quote): number {
  let end = closeQuote(text, from, quote);
  while (end !== -1 && quote === "'" && isApostrophe(text, end - 1)) end = closeQuote(text, end, quote);
  return end;
}

/** True if an odd number of backslashes comes right before `at`, not looking back beyond `from`. */
function isEscaped(text: string, at: number, from: number): boolean {
  let before = at;
  while (before > from && text.charAt(before - 1) === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

const letter = /\p{L}/u;
const letterOrDigit = /[\p{L}\p{N}]/u;
const prefixAlone = /(?:^|[^\p{L}\p{N}_])(?:[rbfu]|br|rb|fr|rf)$/iu;

/**
 * An apostrophe, as in "it's": a `'` after a letter or digit and before a letter is not a quote, unless it follows one
 * of Python's string prefixes (`r'…'`, `b'…'`, `f'…'`, `u'…'`).
 */
export function isApostrophe(text: string, at: number): boolean {
  if (text[at] !== "'" || !letter.test(text.charAt(at + 1)) || !letterOrDigit.test(text.charAt(at - 1))) return false;
  return !prefixAlone.test(text.slice(Math.max(0, at - 3), at));
}

/**
 * True if `text` is one f-string and nothing else. Since Python 3.12 a replacement field may hold the same quotes again
 * (`f"{row["name"]}"`), so braces are followed where the plain reading ends too early.
 */
export function isFString(text: string): boolean {
  const prefix = literalPrefixAt(text, 0);
  if (!prefix?.includes('f')) return false;
  return literalAt(text, 0)?.end === text.length || endOfNested(text, prefix.length) === text.length;
}

/** True if an f-string has nothing between its quotes but blanks. */
export function isBlankFString(text: string): boolean {
  return literalAt(text, 0)?.value.trim() === '';
}

const outsideField = /[{'"\\]/g;
const insideField = /[{}'"]/g;

/** The index after the f-string whose opening quote is at `open`, or -1, with fields read as code. */
function endOfNested(text: string, open: number): number {
  const quote = quoteAt(text, open);
  let depth = 0;
  let at = open + quote.length;
  for (;;) {
    at = search(depth === 0 ? outsideField : insideField, text, at);
    if (at === -1) return -1;
    const character = text[at];
    if (character === '}') depth -= 1;
    else if (character === '\\' || (character === '{' && depth === 0 && text[at + 1] === '{')) at += 1;
    else if (character === '{') depth += 1;
    else if (depth > 0) {
      const nested = quoteAt(text, at);
      const end = closeQuote(text, at + nested.length, nested);
      if (end === -1) return -1;
      at = end - 1;
    } else if (text.startsWith(quote, at)) return at + quote.length;
    at += 1;
  }
}

const BLANKS = '[\\s"\'`*_.…:]{0,20}';
const OPEN = '[<[{(]{0,3}';
const NOUN = '(?:answer|result|response|text|value|output|solution)s?';
/** Words of a form in which the answer was never put: as instructions show it, or in brackets. Ellipses alone are one too. */
const PLACEHOLDER = new RegExp(
  `^(?:[\\s.…_-]{2,40}|…|${BLANKS}(?:` +
    `${OPEN}(?:(?:insert|put|write|place|give|type)\\s+)?(?:your|my)\\s+(?:own\\s+|final\\s+|actual\\s+|best\\s+)?${NOUN}(?:\\s+(?:goes\\s+)?here)?|` +
    `${OPEN}(?:insert|put|write|place|type)\\s+(?:the\\s+)?(?:final\\s+|actual\\s+)?${NOUN}(?:\\s+here)?|` +
    `${OPEN}the\\s+(?:final\\s+|actual\\s+)?answer(?:\\s+(?:goes\\s+)?here)?|` +
    `${OPEN}(?:final\\s+)?answer\\s+(?:goes\\s+)?here|` +
    `[<[{](?:the\\s+)?(?:final[\\s_-]+|actual[\\s_-]+)?${NOUN}` +
    `)[>\\]})]{0,3}${BLANKS})$`,
  'i',
);
/** No placeholder is longer. */
const PLACEHOLDER_CHARS = 120;

/** True for a form that a model copied instead of filling it in, such as `your answer` or `<answer>`. */
export function isPlaceholder(answer: string): boolean {
  return answer.length <= PLACEHOLDER_CHARS && PLACEHOLDER.test(answer);
}
