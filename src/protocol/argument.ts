import {
  closeProtectingQuote,
  closeQuote,
  isApostrophe,
  isTriple,
  literalPrefixAt,
  type Quote,
  quoteAt,
  search,
  singleQuoteAt,
} from './scan.ts';

/**
 * Where an argument ends: `closed` at its closing parenthesis; `extra-arguments`: a quoted literal and a comma, with
 * the closing parenthesis if it is on the same line; `unbalanced`: no reading finds a closing parenthesis.
 */
export type ArgumentReading =
  | { readonly type: 'closed'; readonly at: Position }
  | { readonly type: 'extra-arguments'; readonly at: Position | undefined }
  | { readonly type: 'unbalanced' };

/** Reads one argument while its lines come. */
export interface ArgumentReader {
  /** Reads on as far as the source goes; undefined while more lines are needed. */
  readonly read: () => ArgumentReading | undefined;
  /** The quote of the literal that is open, while the argument may be one. */
  readonly openQuote: () => Quote | undefined;
  /** The argument is not one literal, and its closing parenthesis has not come. */
  readonly waitsForParenthesis: () => boolean;
}

/**
 * Reads an argument that begins at `start`, trying three readings in order: one literal, quotes protecting on the
 * command's own line, quotes protecting over several lines. The first that balances wins.
 *
 */
export function createArgumentReading(source: ArgumentSource, start: Position): ArgumentReader {
  const literalReading = createLiteralReading(source, start);
  let readSeveralLines: ReturnType<typeof createSeveralLinesReading> | undefined;

  const read = (): ArgumentReading | undefined => {
    if (readSeveralLines === undefined) {
      const literal = literalReading.read();
      if (literal === undefined) return undefined;
      if (literal.type === 'closed') return literal;
      if (literal.type === 'comma') return { type: 'extra-arguments', at: readOwnLine(source, start) };
      const ownLine = readOwnLine(source, start);
      if (ownLine !== undefined) return { type: 'closed', at: ownLine };
      readSeveralLines = createSeveralLinesReading(source, start);
    }
    const at = readSeveralLines();
    if (at === undefined) return undefined;
    return at === 'unbalanced' ? { type: 'unbalanced' } : { type: 'closed', at };
  };
  return {
    read,
    openQuote: () => (readSeveralLines === undefined ? literalReading.openQuote() : undefined),
    waitsForParenthesis: () => readSeveralLines !== undefined,
  };
}

/** A place in the lines of an {@link ArgumentSource}. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * The lines an argument may reach over: from its command's line to the next fence or command line, or the end of the
 * reply. They come in one by one; readings stop where lines run out and continue when there are more.
 */
export interface ArgumentSource {
  readonly lines: string[];
  /** True once no more lines can come: only then is it certain that a quote never closes. */
  complete: boolean;
  /** Quotes known not to close in the rest of the lines. Kept for all commands of a line, so that each is searched once. */
  readonly neverClosed: Set<Quote>;
  /** Lines of a block that lies in the argument: they are part of its text, and their parentheses are not counted. */
  readonly verbatim: Set<number>;
  /** The same within one line, for readings on a command's own line. */
  readonly neverClosedOnLine: { line: number; readonly quotes: Set<Quote> };
}

/** A source that so far holds the command's own line. */
export function createArgumentSource(line: string, neverClosed: ReadonlySet<Quote>): ArgumentSource {
  return {
    lines: [line],
    complete: false,
    neverClosed: new Set(neverClosed),
    verbatim: new Set(),
    neverClosedOnLine: { line: 0, quotes: new Set() },
  };
}

/** The quotes known not to close on line number `line`. */
export function neverClosedOnLine(source: ArgumentSource, line: number): Set<Quote> {
  if (source.neverClosedOnLine.line !== line) {
    source.neverClosedOnLine.line = line;
    source.neverClosedOnLine.quotes.clear();
  }
  return source.neverClosedOnLine.quotes;
}

/** The text between two positions, its lines joined by line feeds. */
export function textBetween(source: ArgumentSource, from: Position, to: Position): string {
  const first = source.lines[from.line] ?? '';
  if (from.line === to.line) return first.slice(from.column, to.column);
  const between = source.lines.slice(from.line + 1, to.line);
  const last = (source.lines[to.line] ?? '').slice(0, to.column);
  return [first.slice(from.column), ...between, last].join('\n');
}

/** `closed` and `comma`: one literal, and the closing parenthesis or a comma after it, at `at`; `failed`: not one literal. */
export type LiteralReading =
  | { readonly type: 'closed'; readonly at: Position }
  | { readonly type: 'comma'; readonly at: Position }
  | { readonly type: 'failed' };

const notSpace = /\S/g;

/**
 * The first way to read an argument: as one quoted literal, which may span lines, with blanks and line ends around it.
 *
 * `read` reads on as far as the source goes, and returns undefined while more lines are needed.
 */
export function createLiteralReading(
  source: ArgumentSource,
  start: Position,
): { readonly read: () => LiteralReading | undefined; readonly openQuote: () => Quote | undefined } {
  let { line, column } = start;
  let phase: 'before' | 'inside' | 'after' = 'before';
  let quote: Quote = '"';

  /** Reads on in one line; undefined if the literal continues in the next. */
  function readLine(text: string): LiteralReading | undefined {
    for (;;) {
      const at = phase === 'inside' ? closeQuote(text, column, quote) : search(notSpace, text, column);
      if (at === -1) return undefined;
      if (phase === 'after') {
        const type = text[at] === ')' ? 'closed' : text[at] === ',' ? 'comma' : 'failed';
        return { type, at: { line, column: at } };
      }
      if (phase === 'before') {
        const prefix = literalPrefixAt(text, at);
        if (prefix === undefined) return { type: 'failed' };
        quote = quoteAt(text, at + prefix.length);
        if (source.neverClosed.has(quote)) return { type: 'failed' };
        column = at + prefix.length + quote.length;
        phase = 'inside';
      } else {
        column = at;
        phase = 'after';
      }
    }
  }

  const read = (): LiteralReading | undefined => {
    for (let text = source.lines[line]; text !== undefined; text = source.lines[line]) {
      const reading = readLine(text);
      if (reading !== undefined) return reading;
      line += 1;
      column = 0;
    }
    return source.complete ? { type: 'failed' } : undefined;
  };
  return { read, openQuote: () => (phase === 'inside' ? quote : undefined) };
}

const parenthesisOrQuote = /[()'"]/g;

/**
 * The second way to read an argument, on the command's own line: up to the parenthesis that closes it, where quotes protect
 * the parentheses between them. A quote that does not close on the line is a character.
 *
 * @returns the index of the closing parenthesis; undefined if the line has none, or a triple quote continues on the
 * next line
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
    const column = source.verbatim.has(progress.line) ? undefined : readLine(text, progress, source.neverClosed);
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
