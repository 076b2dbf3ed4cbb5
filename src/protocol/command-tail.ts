import { type CommandHead, commandHeadAt } from './command-head.ts';
import { countScanned, indexOf, search } from './scan.ts';

/** What follows a command's closing parenthesis on its line. */
export interface CommandTail {
  /** Column of the parenthesis that really ends the argument: a later one, if the text after the first held a surplus `)`. */
  readonly close: number;
  /** Text that does not belong there, if any. */
  readonly trailing: string | undefined;
  /** The next command on the line, after a `;`. */
  readonly next: CommandHead | undefined;
}

const parenthesis = /[()]/g;
const notDecoration = /[^ \t*`.]/g;

/**
 * Reads what follows the closing parenthesis at `close`, up to the next `;` that a command follows: so the text of one
 * command is never taken for a part of the one before it, and no text is looked at for two commands.
 */
export function readTail(line: string, close: number): CommandTail {
  let end = indexOf(line, ';', close + 1);
  let next: CommandHead | undefined;
  while (end !== -1) {
    next = commandHeadAt(line, end + 1);
    if (next !== undefined) break;
    end = indexOf(line, ';', end + 1);
  }
  if (end === -1) end = line.length;
  const last = hasSurplus(line, close + 1, end) ? lastParenthesis(line, end) : close;
  const other = search(notDecoration, line, last + 1);
  const clean = other === -1 || other >= end || line[other] === ';';
  return { close: last, trailing: clean ? undefined : line.slice(other, end), next };
}

/** True if a `)` between `from` and `end` has no `(` before it there. */
function hasSurplus(line: string, from: number, end: number): boolean {
  let depth = 0;
  for (let at = search(parenthesis, line, from); at !== -1 && at < end; at = search(parenthesis, line, at + 1)) {
    depth += line[at] === '(' ? 1 : -1;
    if (depth < 0) return true;
  }
  return false;
}

function lastParenthesis(line: string, end: number): number {
  const at = line.lastIndexOf(')', end - 1);
  countScanned(end - at);
  return at;
}
