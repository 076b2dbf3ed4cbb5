import { type ArgumentSource, neverClosedOnLine, type Position } from './argument-source.ts';
import { closeProtectingQuote, isApostrophe, isTriple, type Quote, quoteAt, singleQuoteAt } from './quotes.ts';
import { search } from './scan.ts';

const parenthesisOrQuote = /[()'"]/g;

/**
 * The second way to read an argument, on the command's own line: up to the parenthesis that closes it, where quotes protect
 * the parentheses between them. A quote that does not close on the line is a character.
 *
 * @returns where the closing parenthesis stands, or undefined: none, or a triple quote that goes on past the line's end
 */
export function readOwnLine(source: ArgumentSource, start: Position): Position | undefined {
  const text = source.lines[start.line] ?? '';
  const neverClosed = neverClosedOnLine(source, start.line);
  let depth = 1;
  let at = search(parenthesisOrQuote, text, start.column);
  while (at !== -1) {
    let next = at + 1;
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    else {
      const quote = openingQuote(text, at, source.neverClosed);
      if (quote !== undefined && !neverClosed.has(quote)) {
        const end = closeProtectingQuote(text, at + quote.length, quote);
        if (end === -1) neverClosed.add(quote);
        else next = end;
      }
      if (quote !== undefined && isTriple(quote) && next === at + 1) return undefined;
    }
    if (depth === 0) return { line: start.line, column: at };
    at = search(parenthesisOrQuote, text, next);
  }
  return undefined;
}

/**
 * The third way: as the second, over several lines. A quote that never closes is a character, which is certain only once the
 * source is complete; then the text after it is read again, at most once for each of the four quotes.
 *
 * @returns a function that reads on as far as the source goes; undefined while more lines are needed
 */
export function createSeveralLinesReading(
  source: ArgumentSource,
  start: Position,
): () => Position | 'unbalanced' | undefined {
  let { line, column } = start;
  let depth = 1;
  let open: { readonly quote: Quote; readonly from: Position; readonly depth: number } | undefined;

  /** Reads on in one line; the column of the closing parenthesis, or undefined if it is not on this line. */
  function readLine(text: string): number | undefined {
    for (;;) {
      if (open !== undefined) {
        const end = closeProtectingQuote(text, column, open.quote);
        if (end === -1) return undefined;
        open = undefined;
        column = end;
      }
      const at = search(parenthesisOrQuote, text, column);
      if (at === -1) return undefined;
      column = at + 1;
      if (text[at] === '(') depth += 1;
      else if (text[at] === ')') depth -= 1;
      else {
        const quote = openingQuote(text, at, source.neverClosed);
        if (quote !== undefined) {
          open = { quote, from: { line, column: at }, depth };
          column = at + quote.length;
        }
      }
      if (depth === 0) return at;
    }
  }

  function readOn(): Position | undefined {
    for (let text = source.lines[line]; text !== undefined; text = source.lines[line]) {
      const at = readLine(text);
      if (at !== undefined) return { line, column: at };
      line += 1;
      column = 0;
    }
    return undefined;
  }

  return () => {
    for (;;) {
      const closed = readOn();
      if (closed !== undefined || !source.complete) return closed;
      if (open === undefined) return 'unbalanced';
      source.neverClosed.add(open.quote);
      ({ line, column } = open.from);
      depth = open.depth;
      open = undefined;
    }
  };
}

/** The quote that opens a string at `at`: not an apostrophe, and none that is known never to close. */
function openingQuote(text: string, at: number, neverClosed: ReadonlySet<Quote>): Quote | undefined {
  if (isApostrophe(text, at)) return undefined;
  const quote = quoteAt(text, at);
  if (!neverClosed.has(quote)) return quote;
  const single = singleQuoteAt(text, at);
  return neverClosed.has(single) ? undefined : single;
}
