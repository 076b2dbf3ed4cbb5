import { skipListMarkers } from './command-head.ts';
import { indexOf, runLength, skipBlanks } from './scan.ts';

/** What a fence's content is, by its tag. `untagged` is a cell only if the reply has no other command. */
export type FenceKind = 'cell' | 'bash' | 'untagged' | 'other';

/** The opening line of a fenced block. */
export interface FenceOpening {
  readonly kind: FenceKind;
  readonly character: '`' | '~';
  /** How many of the character opened it: a closing line has at least as many. */
  readonly length: number;
  /** Blanks before the fence: the indentation its content has on top of its own. */
  readonly indentation: number;
  /** The opening line, for messages. */
  readonly line: string;
}

const executed: ReadonlyMap<string, FenceKind> = new Map([
  ['python', 'cell'],
  ['py', 'cell'],
  ['python3', 'cell'],
  ['repl', 'cell'],
  ['bash', 'bash'],
  ['sh', 'bash'],
  ['shell', 'bash'],
  ['zsh', 'bash'],
  ['', 'untagged'],
]);

/** Longest tag that is executed: longer ones are not worth reading. */
const LONGEST_TAG = 7;
const tagHere = new RegExp(`[^ \\t]{0,${LONGEST_TAG + 1}}`, 'y');

/**
 * The fence that `line` opens, if it opens one: three or more backticks or tildes at its start, after blanks and list
 * markers. As in CommonMark a backtick fence has no backtick in the rest of its line: that would be inline code.
 */
export function fenceOpening(line: string): FenceOpening | undefined {
  const start = skipListMarkers(line, 0);
  const character = line[start];
  if (character !== '`' && character !== '~') return undefined;
  const length = runLength(line, start, character);
  if (length < 3) return undefined;
  if (character === '`' && indexOf(line, '`', start + length) !== -1) return undefined;
  return { kind: kindOf(line, start + length), character, length, indentation: start, line };
}

/** True if `line` closes the fence: at least as many of its character, and nothing else. */
export function closesFence(line: string, opening: FenceOpening): boolean {
  const start = skipBlanks(line, 0);
  if (line[start] !== opening.character) return false;
  const length = runLength(line, start, opening.character);
  return length >= opening.length && skipBlanks(line, start + length) === line.length;
}

/** The kind by the first word after the fence, in any case. */
function kindOf(line: string, from: number): FenceKind {
  tagHere.lastIndex = skipBlanks(line, from);
  const tag = tagHere.exec(line)?.[0] ?? '';
  return executed.get(tag.toLowerCase()) ?? 'other';
}
