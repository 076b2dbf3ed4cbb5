import type { RunIndex } from './index-run.ts';
import type { Match, Matches } from './page-types.ts';
import { textsOf } from './texts.ts';

/** Places that one search lists. */
export const MATCH_ITEMS = 200;
/** Characters around a hit. */
const AROUND_CHARS = 60;

/**
 * Finds words in every text of a tree, upper and lower case alike: the first place in each text. `pause` is awaited after
 * each text, so that long searches leave time to others.
 */
export async function search(index: RunIndex, words: string, pause: () => Promise<void> | undefined): Promise<Matches> {
  const pattern = new RegExp(words.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replace(/\s+/g, '\\s+'), 'i');
  const items: Match[] = [];
  if (words.trim() === '') return { items, more: false };
  for (const { text, ...place } of textsOf(index)) {
    await pause();
    const found = pattern.exec(text);
    if (found === null) continue;
    if (items.length === MATCH_ITEMS) return { items, more: true };
    items.push({ ...place, ...around(text, found) });
  }
  return { items, more: false };
}

function around(text: string, found: RegExpExecArray): Pick<Match, 'before' | 'hit' | 'after'> {
  const [hit] = found;
  const end = found.index + hit.length;
  const before = text.slice(Math.max(0, found.index - AROUND_CHARS), found.index);
  const after = text.slice(end, end + AROUND_CHARS);
  return { before: tidy(before), hit: tidy(hit.slice(0, 4 * AROUND_CHARS)), after: tidy(after) };
}

function tidy(text: string): string {
  return text.toWellFormed().replace(/\s+/g, ' ');
}
