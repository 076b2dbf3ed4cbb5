import { invalidOption } from '../argument-checks.ts';
import { textWithin } from '../model/estimate-tokens.ts';

/** One page of a text that may be longer than a result. */
export interface Page {
  readonly text: string;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
}

/** @throws RlmError `invalid-option` for a page that the text does not have */
export function pageOf(text: string, page: number, tokens: number): Page {
  let [start, count, found] = [0, 0, ''];
  do {
    const piece = pieceFrom(text, start, tokens);
    count += 1;
    if (count === page) found = piece;
    start += piece.length;
  } while (start < text.length);
  if (page > count) throw invalidOption(`There is no page ${page}: the text has ${count}`);
  return { text: found, page, pages: count };
}

/** A token is four characters at the most, so that a page of a long text costs no copy of the rest. */
function pieceFrom(text: string, start: number, tokens: number): string {
  const piece = textWithin(text.slice(start, start + 4 * tokens), tokens);
  return piece === '' ? text.slice(start, start + 2) : piece;
}

/** A text within one result, with a note where it is cut. */
export function cut(text: string, tokens: number, remedy: string): string {
  const head = textWithin(text, tokens);
  if (head.length === text.length) return text;
  return `${head}\n[${text.length - head.length} of ${text.length} characters are left out: ${remedy}.]`;
}
