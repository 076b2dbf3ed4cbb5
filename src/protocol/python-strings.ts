import { closeQuote, isTriple, type Quote, quoteAt } from './quotes.ts';
import { search } from './scan.ts';

const stringOrComment = /["'#]/g;

/**
 * The string that is still open where a line of Python ends, given that none is open at `from`: a triple-quoted one, or a
 * single-quoted one that a backslash carries over the line's end.
 */
export function stringOpenAfter(line: string, from: number): Quote | undefined {
  let at = from;
  for (;;) {
    at = search(stringOrComment, line, at);
    if (at === -1 || line[at] === '#') return undefined;
    const quote = quoteAt(line, at);
    at = closeQuote(line, at + quote.length, quote);
    if (at === -1) return isTriple(quote) || line.endsWith('\\') ? quote : undefined;
  }
}
