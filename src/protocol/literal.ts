import { closeQuote, quoteAt } from './quotes.ts';
import { countScanned } from './scan.ts';

/** A Python (or JSON) string literal found in a text. */
export interface Literal {
  /** Index after its closing quote. */
  readonly end: number;
  /** Its prefix letters, lower case: '' or r, b, f, u and pairs of them. */
  readonly prefix: string;
  /** Its text with the escapes processed; with an `r` prefix as it stands. */
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

/** The text a literal's body stands for, by Python's escapes. An escape Python does not know stays as it is. */
export function processEscapes(body: string): string {
  countScanned(body.length);
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
