import type { Colors, TextStream } from '../screen/console.ts';
import { wrapped } from '../screen/layout.ts';
import { onOneLine } from '../screen/terminal-text.ts';

const LINE_CHARS = 400;

/** The stream that findings are written to, and its layout. */
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
  // Wrapped before it is coloured: colours take no room. `left` is part of the first line.
  const below = (left: string, text: string): string =>
    wrapped(`${left.padEnd(column)}${text}`, stream, column).slice(left.length);
  const head = below(`    ${name}`, onOneLine(summary, LINE_CHARS));
  return [
    `  ${mark} ${name}${head}`,
    ...details.map((detail) => colors.dim(below('', onOneLine(detail, LINE_CHARS)))),
    ...(advice === undefined ? [] : [below('', `→ ${advice}`)]),
  ];
}

/** One thing `fathom doctor` looked at. */
export interface Finding {
  readonly name: string;
  /** `ok`: usable; `partly`: usable with less; `missing`: not usable. */
  readonly state: 'ok' | 'partly' | 'missing';
  /** One line: its version, and the isolation it proved. */
  readonly summary: string;
  /** Proofs and timings. */
  readonly details: readonly string[];
  /** A remedy for whatever is missing. */
  readonly advice?: string;
}

/** Findings of one kind. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}
