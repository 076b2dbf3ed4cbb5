import { literalAt, literalPrefixAt } from './literal.ts';
import { closeQuote, quoteAt } from './quotes.ts';
import { search } from './scan.ts';

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

/** The index after the f-string whose opening quote stands at `open`, or -1, with fields read as code. */
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
