import type { CommandName } from './command.ts';
import { skipBlanks } from './scan.ts';

/** The start of a command: its name and opening parenthesis. */
export interface CommandHead {
  readonly name: CommandName;
  /** Index of the name's first letter. */
  readonly start: number;
  /** Index after the opening parenthesis. */
  readonly argument: number;
  /** True if a quote mark (`>`) is before it on its line. */
  readonly quoted: boolean;
}

const NAMES = 'FINAL_VAR|FINAL|RUN|CODE|SNAPSHOT|ROLLBACK|QUERY_LLM_BATCHED|QUERY_LLM';
const nameHere = new RegExp(`(?:${NAMES})(?![A-Za-z0-9_])`, 'y');
const nameAnywhere = new RegExp(`(?<![A-Za-z0-9_])(?:${NAMES})[ \\t]*\\(`);

/** The command that begins at `from`, once decoration (list markers, `>`, `**`, backticks) is passed over. */
export function commandHeadAt(line: string, from: number): CommandHead | undefined {
  const { end: start, quoted } = skipDecoration(line, from);
  // Every name begins with one of these five letters: most lines of prose are turned away here.
  const first = line.charCodeAt(start);
  if (first !== 70 && first !== 82 && first !== 67 && first !== 83 && first !== 81) return undefined;
  nameHere.lastIndex = start;
  const name = nameHere.exec(line)?.[0] as CommandName | undefined;
  if (name === undefined) return undefined;
  const parenthesis = skipBlanks(line, start + name.length);
  return line[parenthesis] === '(' ? { name, start, argument: parenthesis + 1, quoted } : undefined;
}

/** Index of the first command written in the middle of a line, or -1. */
export function commandMention(line: string): number {
  if (line.indexOf('(', 0) === -1) return -1;
  return line.search(nameAnywhere);
}

/** The index after blanks and list markers (`-`, `+`, `*`, `•`, `1.`, `1)`) at `from`. */
export function skipListMarkers(line: string, from: number): number {
  let at = skipBlanks(line, from);
  for (;;) {
    const end = listMarkerEnd(line, at);
    if (end === at) return at;
    at = skipBlanks(line, end);
  }
}

/** Where everything ends that a model may put before a command for the eye, and whether a quote mark is part of it. */
function skipDecoration(line: string, from: number): { readonly end: number; readonly quoted: boolean } {
  let at = from;
  let quoted = false;
  for (;;) {
    at = skipBlanks(line, at);
    const code = line.charCodeAt(at);
    // `*`, `>` and backtick are decoration wherever they stand; the others only as list markers.
    const next = code === 42 || code === 62 || code === 96 ? at + 1 : listMarkerEnd(line, at);
    if (next === at) return { end: at, quoted };
    quoted ||= code === 62;
    at = next;
  }
}

/** The index after the list marker at `at`, or `at` if none stands there. A marker has a blank after it. */
function listMarkerEnd(line: string, at: number): number {
  const code = line.charCodeAt(at);
  let end = at;
  if (code === 45 || code === 43 || code === 42 || code === 0x2022) end = at + 1;
  else if (code >= 48 && code <= 57) end = numberMarkerEnd(line, at);
  if (end === at) return at;
  const after = line.charCodeAt(end);
  return after === 32 || after === 9 ? end : at;
}

const digits = '0123456789';

function numberMarkerEnd(line: string, at: number): number {
  let end = at;
  while (end < line.length && digits.includes(line.charAt(end))) end += 1;
  return line[end] === '.' || line[end] === ')' ? end + 1 : at;
}
