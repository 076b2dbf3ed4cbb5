import type { RunDocument } from './run-document.ts';

/** Characters that an export may hold before a warning: such a file opens slowly on small machines. */
export const EXPORT_WARN_CHARS: number = 50 * 1024 * 1024;
/** Characters that an export holds at most: a browser parses it in one piece. */
export const EXPORT_MOST_CHARS: number = 200 * 1024 * 1024;
/** Characters that a text keeps at least. */
const LEAST_CHARS = 256;

/** A document whose texts together fit; longer texts are cut, say so, and keep their beginning. */
export function boundDocument(document: RunDocument, most: number = EXPORT_MOST_CHARS): RunDocument {
  const lengths: number[] = [];
  eachText(document, (text) => void lengths.push(text.length));
  const total = (limit: number): number => lengths.reduce((sum, length) => sum + Math.min(length, limit), 0);
  let limit = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  if (total(limit) <= most) return document;
  while (limit > LEAST_CHARS && total(limit) > most) limit = Math.floor(limit / 2);
  const cut = (text: string): string => {
    if (text.length <= limit) return text;
    const left = text.length - limit;
    return `${text.slice(0, limit).toWellFormed()}\n[cut in this file: ${left} more characters]`;
  };
  const leftOut = `everything behind the first ${limit} characters of each text: the run has ${Math.round(total(Number.MAX_SAFE_INTEGER) / 1024 ** 2)} MB`;
  return { ...(mapTexts(document, cut) as RunDocument), leftOut: joined(document.leftOut, leftOut) };
}

/** A document of the same tree without a word of what was asked, read or answered. */
export function withoutContent(document: RunDocument): RunDocument {
  const hidden = (text: string, field: string): string =>
    CONTENT.has(field) && text !== '' ? `[left out: ${text.length} characters]` : text;
  const bare = mapTexts(document, hidden) as RunDocument;
  return { ...bare, leftOut: 'all texts (--no-content): figures, models, times and outcomes are here' };
}

/** Fields with words of users, models or data. */
const CONTENT: ReadonlySet<string> = new Set([
  ...[
    'query',
    'text',
    'reply',
    'reasoning',
    'content',
    'shown',
    'stdout',
    'stderr',
    'feedback',
    'variables',
    'message',
  ],
  ...['code', 'command', 'value', 'prompt', 'items', 'name', 'description', 'reason', 'details', 'excerpt', 'system'],
]);

function joined(before: string | undefined, more: string): string {
  return before === undefined ? more : `${before}; ${more}`;
}

function eachText(value: unknown, visit: (text: string) => void): void {
  if (typeof value === 'string') visit(value);
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) eachText(each, visit);
}

/** A copy in which every text is what `map` makes of it. Items of a list have the name of the list. */
function mapTexts(value: unknown, map: (text: string, field: string) => string, field = ''): unknown {
  if (typeof value === 'string') return map(value, field);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, map, field));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapTexts(each, map, name)]));
}
