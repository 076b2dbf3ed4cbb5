import { onOneLine } from './terminal-text.ts';

/** Columns of text, each as wide as its widest cell; the last one takes what is left of the line. */
export function table(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: Math.max(0, columns - 1) }, (_, column) =>
    Math.max(...rows.map((row) => [...onOneLine(row[column] ?? '', width)].length)),
  );
  return rows.map((row) => {
    const cells = widths.map((wide, column) => onOneLine(row[column] ?? '', width).padEnd(wide));
    const rest = Math.max(20, width - widths.reduce((sum, wide) => sum + wide + 2, 0));
    return [...cells, onOneLine(row[columns - 1] ?? '', rest)].join('  ').trimEnd();
  });
}

/** Columns of a stream that is no terminal: a question is told in full, as far as one line is read. */
const PLAIN_COLUMNS = 240;

/** How wide lines may be. */
export function columnsOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true ? (columns ?? 80) : PLAIN_COLUMNS;
}

/** A time as people here read it, e.g. `2026-01-31 09:05`. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
