import { onOneLine } from './terminal-text.ts';

/** Columns of a last cell below which it is not worth showing. */
const LEAST_COLUMNS = 12;

/** Columns of text, each as wide as its widest cell; the last one takes what is left of the line, if that is enough. */
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

/** Columns of a stream that is no terminal: a question is told in full, as far as one line is read. */
const PLAIN_COLUMNS = 240;

/** Columns of a terminal that does not know them: those of a container or a recorder say 0. */
const USUAL_COLUMNS = 80;

/** How wide lines may be. */
export function columnsOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true ? columns || USUAL_COLUMNS : PLAIN_COLUMNS;
}

/** A time as people here read it, e.g. `2026-01-31 09:05`. */
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
