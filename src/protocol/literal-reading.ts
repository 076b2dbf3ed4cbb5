import type { ArgumentSource, Position } from './argument-source.ts';
import { literalPrefixAt } from './literal.ts';
import { closeQuote, type Quote, quoteAt } from './quotes.ts';
import { search } from './scan.ts';

/** `closed` and `comma`: one literal, and the closing parenthesis or a comma after it, at `at`; `failed`: not one literal. */
export type LiteralReading =
  | { readonly type: 'closed'; readonly at: Position }
  | { readonly type: 'comma'; readonly at: Position }
  | { readonly type: 'failed' };

const notSpace = /\S/g;

/**
 * The first way to read an argument: as one quoted literal, which may span lines, with blanks and line ends around it.
 *
 * @returns a function that reads on as far as the source goes, and gives undefined while more lines are needed
 */
export function createLiteralReading(source: ArgumentSource, start: Position): () => LiteralReading | undefined {
  let { line, column } = start;
  let phase: 'before' | 'inside' | 'after' = 'before';
  let quote: Quote = '"';

  /** Reads on in one line; undefined if the literal goes on in the next. */
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
        column = at + prefix.length + quote.length;
        phase = 'inside';
      } else {
        column = at;
        phase = 'after';
      }
    }
  }

  return () => {
    for (let text = source.lines[line]; text !== undefined; text = source.lines[line]) {
      const reading = readLine(text);
      if (reading !== undefined) return reading;
      line += 1;
      column = 0;
    }
    return source.complete ? { type: 'failed' } : undefined;
  };
}
