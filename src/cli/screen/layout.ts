import { onOneLine } from './terminal-text.ts';

/** Below this many columns the last cell is left out. */
const LEAST_COLUMNS = 12;

/** Columns of text, each as wide as its widest cell; the last one takes the rest of the line, if that is enough. */
export function table(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: Math.max(0, columns - 1) }, (_, column) =>
    Math.max(...rows.map((row) => [...onOneLine(row[column] ?? '', width)].length)),
  );
  const least = Math.min(LEAST_COLUMNS, Math.max(0, ...rows.map((row) => (row[columns - 1] ?? '').length)));
  return rows.map((row) => {
    const cells = widths.map((wide, column) => onOneLine(row[column] ?? '', width).padEnd(wide));
    const rest = width - widths.reduce((sum, wide) => sum + wide + 2, 0);
    const last = rest < least ? '' : onOneLine(row[columns - 1] ?? '', rest);
    return [...cells, last].join('  ').trimEnd();
  });
}

/** Columns of a stream other than a terminal: enough for a whole question on one line. */
const PLAIN_COLUMNS = 240;

/** Columns of a terminal that does not know them: those of a container or a recorder say 0. */
const USUAL_COLUMNS = 80;

/** Characters that take two columns of a terminal: those of East Asia, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
/** Characters that take none: they join the one before. */
const JOINED = /\p{M}|\u200b|\u200c|\u200d|\p{Variation_Selector}/u;

/** Columns that a line takes in a terminal. */
export function columnsIn(line: string): number {
  let columns = 0;
  for (const character of line) columns += JOINED.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

/** The end of a line, in so many columns; with `…` before it where something is left out. */
export function lastColumns(line: string, width: number): string {
  if (columnsIn(line) <= width) return line;
  const characters = [...line];
  let start = characters.length;
  for (let left = width - 1; start > 0; start--) {
    left -= columnsIn(characters[start - 1] ?? '');
    if (left < 0) break;
  }
  return `…${characters.slice(start).join('')}`;
}

/** How wide lines may be. */
export function columnsOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true ? columns || USUAL_COLUMNS : PLAIN_COLUMNS;
}

/** A time in the local time zone, e.g. `2026-01-31 09:05`. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The same, without the year where that is this one. */
export function shortTime(iso: string): string {
  const time = localTime(iso);
  const year = `${new Date().getFullYear()}-`;
  return time.startsWith(year) ? time.slice(year.length) : time;
}

/** A stream and the width of its lines. */
type StreamWidth = Parameters<typeof columnsOf>[0];

/**
 * Prose broken between words for a terminal, later lines indented by `indent` columns. Any other stream gets
 * one line, which programs can read. Not for text that users copy: code, answers, commands.
 */
export function wrapped(text: string, stream: StreamWidth, indent = 0): string {
  if (stream.isTTY !== true) return text;
  const width = columnsOf(stream);
  const lines: string[] = [];
  let line = '';
  // Each word with the blanks before it: those at the beginning and between columns stay.
  for (const word of text.match(/ *[^ ]+/g) ?? []) {
    const room = lines.length === 0 ? width : width - indent;
    if (line !== '' && [...line].length + [...word].length > room) {
      lines.push(line);
      line = word.trimStart();
    } else {
      line += word;
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
