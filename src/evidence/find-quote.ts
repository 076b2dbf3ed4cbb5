import { codePoints, countCharacters } from '../code-points.ts';
import { LEAST_QUOTE_CHARS } from './limits.ts';

/** Where a quote is in a text, in code points. */
export interface QuotePlace {
  readonly start: number;
  readonly end: number;
}

/** The place a quote was said to have, in code points. */
export interface ClaimedPlace {
  readonly start?: number | null;
  readonly end?: number | null;
}

/** The quote word for word: at its place, else at the occurrence that is nearest. */
export function findExact(text: string, quote: string, { start }: ClaimedPlace): QuotePlace | undefined {
  if (quote.trim() === '') return undefined;
  const length = countCharacters(quote);
  const claimed = typeof start === 'number' && Number.isInteger(start) && start >= 0 ? start : undefined;
  if (claimed !== undefined && codePoints(text).slice(claimed, claimed + length) === quote) {
    return { start: claimed, end: claimed + length };
  }
  if (quote.trim().length < LEAST_QUOTE_CHARS) return undefined;
  const at = nearest(text, quote, claimed ?? 0);
  if (at === undefined) return undefined;
  const from = countCharacters(text.slice(0, at));
  return { start: from, end: from + length };
}

function nearest(text: string, quote: string, wanted: number): number | undefined {
  const before = text.lastIndexOf(quote, wanted);
  const after = text.indexOf(quote, wanted);
  if (before < 0 || after < 0) return Math.max(before, after) < 0 ? undefined : Math.max(before, after);
  return wanted - before <= after - wanted ? before : after;
}

/** A text in the form in which quotes are compared loosely, and where each of its characters was. */
export interface LooseText {
  readonly text: string;
  /** By index of `text`: the index in the whole text. */
  readonly origin: Uint32Array;
}

const SPACE = /\s/;
const LETTER = /\p{L}/u;
const HYPHEN = /[-\u2010\u2011]/;
/** Characters that look alike and are typed for one another. */
const ALIKE: Readonly<Record<string, string>> = {
  ...{
    '\u2018': "'",
    '\u2019': "'",
    '\u201A': "'",
    '\u201C': '"',
    '\u201D': '"',
    '\u201E': '"',
    '\u00AB': '"',
    '\u00BB': '"',
  },
  ...{ '\u2013': '-', '\u2014': '-', '\u2212': '-' },
};

/**
 * Lower case, white space as one blank, quotation marks and dashes as in ASCII, and without hyphens between letters, also
 * at a line end. A minus sign stays: it is not hyphenation.
 */
export function loose(text: string): LooseText {
  const out: string[] = [];
  const origin = new Uint32Array(text.length * 3 + 1);
  let count = 0;
  const push = (unit: string, at: number): void => {
    for (const piece of unit) for (let index = 0; index < piece.length; index++) origin[count + index] = at;
    out.push(unit);
    count += unit.length;
  };
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] ?? '';
    if (unit === '\u00AD' || unit === '\u200B') continue;
    if (HYPHEN.test(unit) && LETTER.test(text[index - 1] ?? '')) {
      const next = pastSpace(text, index + 1);
      if (LETTER.test(text[next] ?? '')) {
        index = next - 1;
        continue;
      }
    }
    if (SPACE.test(unit)) {
      if (count > 0 && out.at(-1) !== ' ') push(' ', index);
      continue;
    }
    push(ALIKE[unit] ?? unit.toLowerCase(), index);
  }
  if (out.at(-1) === ' ') {
    out.pop();
    count -= 1;
  }
  origin[count] = text.length;
  return { text: out.join(''), origin: origin.subarray(0, count + 1) };
}

function pastSpace(text: string, from: number): number {
  let at = from;
  while (SPACE.test(text[at] ?? '')) at++;
  return at;
}

/** The quote with other white space, case, hyphenation or quotation marks. */
export function findLoose(text: string, within: LooseText, quote: string): QuotePlace | undefined {
  const wanted = loose(quote).text;
  if (wanted.length < LEAST_QUOTE_CHARS) return undefined;
  const at = within.text.indexOf(wanted);
  if (at < 0) return undefined;
  const first = within.origin[at] ?? 0;
  const last = within.origin[at + wanted.length - 1] ?? first;
  const start = countCharacters(text.slice(0, first));
  return { start, end: start + countCharacters(text.slice(first, last)) + 1 };
}
