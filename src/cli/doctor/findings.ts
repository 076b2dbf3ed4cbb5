import type { Colors, TextStream } from '../screen/console.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import { wrapped } from '../screen/wrapped.ts';
import type { Finding, Section } from './finding.ts';

const LINE_CHARS = 400;

/** What findings are written on. */
interface Page {
  readonly stream: TextStream;
  readonly colors: Colors;
  /** Columns of the longest name of the section. */
  readonly nameWidth: number;
}

/** A section as lines: a mark, a name, what was found; details and advice below. */
export function sectionLines({ title, findings }: Section, page: Omit<Page, 'nameWidth'>): readonly string[] {
  const nameWidth = Math.max(...findings.map((finding) => finding.name.length));
  return ['', page.colors.bold(title), ...findings.flatMap((finding) => findingLines(finding, { ...page, nameWidth }))];
}

function findingLines(
  { name, state, summary, details, advice }: Finding,
  { stream, colors, nameWidth }: Page,
): readonly string[] {
  const mark = { ok: colors.green('✓'), partly: colors.yellow('–'), missing: colors.red('✗') }[state];
  const column = nameWidth + 6;
  // Broken before it is coloured: colours take no room. What stands left of the column is part of the first line.
  const below = (left: string, text: string): string =>
    wrapped(`${left.padEnd(column)}${text}`, stream, column).slice(left.length);
  const head = below(`    ${name}`, onOneLine(summary, LINE_CHARS));
  return [
    `  ${mark} ${name}${head}`,
    ...details.map((detail) => colors.dim(below('', onOneLine(detail, LINE_CHARS)))),
    ...(advice === undefined ? [] : [below('', `→ ${advice}`)]),
  ];
}
