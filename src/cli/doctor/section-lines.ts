import type { Colors } from '../console.ts';
import { onOneLine } from '../terminal-text.ts';
import type { Finding, Section } from './finding.ts';

const LINE_CHARS = 400;

/** A section as lines: a mark, a name, what was found; details and advice below. */
export function sectionLines({ title, findings }: Section, colors: Colors): readonly string[] {
  const width = Math.max(...findings.map((finding) => finding.name.length));
  return ['', colors.bold(title), ...findings.flatMap((finding) => findingLines(finding, width, colors))];
}

function findingLines(
  { name, state, summary, details, advice }: Finding,
  width: number,
  colors: Colors,
): readonly string[] {
  const mark = { ok: colors.green('✓'), partly: colors.yellow('–'), missing: colors.red('✗') }[state];
  const indent = ' '.repeat(width + 6);
  return [
    `  ${mark} ${name.padEnd(width)}  ${onOneLine(summary, LINE_CHARS)}`,
    ...details.map((detail) => colors.dim(`${indent}${onOneLine(detail, LINE_CHARS)}`)),
    ...(advice === undefined ? [] : [`${indent}→ ${advice}`]),
  ];
}
