import { countScanned, skipBlanks } from './scan.ts';

/**
 * Removes the indentation all lines share, as Python's `textwrap.dedent` does; lines of blanks only do not count.
 */
export function removeUniformIndentation(lines: readonly string[]): string[] {
  let shared: string | undefined;
  for (const line of lines) {
    const end = skipBlanks(line, 0);
    if (end === line.length) continue;
    shared = shared === undefined ? line.slice(0, end) : commonStart(shared, line);
    if (shared === '') return [...lines];
  }
  const width = shared?.length ?? 0;
  return width === 0 ? [...lines] : lines.map((line) => removeIndentation(line, width));
}

/** Removes up to `width` characters of indentation from a line, as many as it has. */
export function removeIndentation(line: string, width: number): string {
  return line.slice(Math.min(width, skipBlanks(line, 0)));
}

function commonStart(left: string, right: string): string {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left[length] === right[length]) length += 1;
  countScanned(length);
  return left.slice(0, length);
}
