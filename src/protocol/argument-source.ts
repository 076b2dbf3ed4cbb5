import type { Quote } from './quotes.ts';
import { countScanned } from './scan.ts';

/** A place in the lines of an {@link ArgumentSource}. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * The lines an argument may reach over: from its command's line to the next fence or command line, or the end of the reply.
 * They come in one by one; readings stop where lines run out and go on when there are more.
 */
export interface ArgumentSource {
  readonly lines: string[];
  /** True once no more lines can come: only then is it certain that a quote never closes. */
  complete: boolean;
  /** Quotes known not to close in the rest of the lines. Kept for all commands of a line, so that each is searched once. */
  readonly neverClosed: Set<Quote>;
  /** The same within one line, for readings on a command's own line. */
  readonly neverClosedOnLine: { line: number; readonly quotes: Set<Quote> };
}

/** A source that so far holds the command's own line. */
export function createArgumentSource(line: string): ArgumentSource {
  return {
    lines: [line],
    complete: false,
    neverClosed: new Set(),
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
  const text = [first.slice(from.column), ...between, last].join('\n');
  countScanned(text.length);
  return text;
}
