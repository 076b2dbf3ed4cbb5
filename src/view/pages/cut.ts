/**
 * Bounds of what one piece of a run holds.
 *
 * @module
 */
import type { CutText, Page } from './page-types.ts';

/** Characters of prose, output or feedback before the text is cut: two screens. */
export const TEXT_CHARS = 4_000;
/** Characters of code: cells are read in full, and rarely longer. */
export const CODE_CHARS = 16_000;
/** Characters of a question or answer in a list. */
export const LINE_CHARS = 300;
/** Characters of a prompt or reply in a row of calls. */
export const ROW_CHARS = 120;
/** Quotes of the evidence that the head of a run lists. */
export const LISTED_QUOTES = 20;
/** Notices of one run that are listed: turns have none or a few each. */
export const LISTED_NOTICES = 200;
/** Characters of JSON in one page: it is read in one piece, and parsed without a pause that is felt. */
export const PAGE_CHARS = 500_000;
/** Items in one page at the most. */
export const PAGE_ITEMS = 2_000;

/** The beginning of a text, with the handle of all of it. */
export function cut(text: string, ref: string, chars: number = TEXT_CHARS): CutText {
  return { text: beginning(text, chars), chars: text.length, ref };
}

/** As {@link cut}; null for an empty text. */
export function cutOrNull(text: string, ref: string, chars?: number): CutText | null {
  return text === '' ? null : cut(text, ref, chars);
}

/** The beginning of a text on one line. */
export function oneLine(text: string): string {
  const head = text
    .slice(0, 4 * ROW_CHARS)
    .replace(/\s+/g, ' ')
    .trim();
  return beginning(head, ROW_CHARS);
}

/** The beginning of a text that has no handle; an ellipsis says that it is cut. */
export function short(text: string, chars: number): string {
  return text.length <= chars ? text : `${beginning(text, chars - 1)}…`;
}

/** A pair of surrogates is not cut in two. */
function beginning(text: string, chars: number): string {
  return text.length <= chars ? text : text.slice(0, chars).toWellFormed();
}

/** The items from `from` on that fit into one page; at least one. */
export function pageOf<T>(count: number, from: number, item: (index: number) => T): Page<T> {
  const items: T[] = [];
  let chars = 0;
  let index = from;
  for (; index < count && items.length < PAGE_ITEMS && (chars < PAGE_CHARS || items.length === 0); index++) {
    const next = item(index);
    const size = JSON.stringify(next).length;
    if (items.length > 0 && chars + size > PAGE_CHARS) break;
    chars += size;
    items.push(next);
  }
  return { items, next: index < count ? index : null };
}
