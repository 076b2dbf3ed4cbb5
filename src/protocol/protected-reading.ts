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

/** How far a reading over several lines has come. */
interface Progress {
  line: number;
  column: number;
  depth: number;
  /** The string it is in, and where to go back to if that never closes. */
  open: { readonly quote: Quote; readonly line: number; readonly column: number; readonly depth: number } | undefined;
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
  const progress: Progress = { ...start, depth: 1, open: undefined };
  return () => {
    for (;;) {
      const closed = readOn(source, progress);
      if (closed !== undefined || !source.complete) return closed;
      if (progress.open === undefined) return 'unbalanced';
      const { quote, ...opening } = progress.open;
      source.neverClosed.add(quote);
      Object.assign(progress, opening, { open: undefined });
    }
  };
}

/** Reads on over the lines there are. */
function readOn(source: ArgumentSource, progress: Progress): Position | undefined {
  for (let text = source.lines[progress.line]; text !== undefined; text = source.lines[progress.line]) {
    const column = readLine(text, progress, source.neverClosed);
    if (column !== undefined) return { line: progress.line, column };
    progress.line += 1;
    progress.column = 0;
  }
  return undefined;
}

/** Reads on in one line; the column of the closing parenthesis, or undefined if it is not on this line. */
function readLine(text: string, progress: Progress, neverClosed: ReadonlySet<Quote>): number | undefined {
  for (;;) {
    if (progress.open !== undefined) {
      const end = closeProtectingQuote(text, progress.column, progress.open.quote);
      if (end === -1) return undefined;
      progress.open = undefined;
      progress.column = end;
    }
    const at = search(parenthesisOrQuote, text, progress.column);
    if (at === -1) return undefined;
    progress.column = at + 1;
    if (text[at] === '(') progress.depth += 1;
    else if (text[at] === ')') progress.depth -= 1;
    else {
      const quote = openingQuote(text, at, neverClosed);
      if (quote !== undefined) {
        progress.open = { quote, line: progress.line, column: at, depth: progress.depth };
        progress.column = at + quote.length;
      }
    }
    if (progress.depth === 0) return at;
  }
}

/** The quote that opens a string at `at`: not an apostrophe, and none that is known never to close. */
function openingQuote(text: string, at: number, neverClosed: ReadonlySet<Quote>): Quote | undefined {
  if (isApostrophe(text, at)) return undefined;
  const quote = quoteAt(text, at);
  if (!neverClosed.has(quote)) return quote;
  const single = singleQuoteAt(text, at);
  return neverClosed.has(single) ? undefined : single;
}
