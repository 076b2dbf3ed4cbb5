import { defined } from '../defined.ts';
import {
  type ArgumentReader,
  type ArgumentSource,
  createArgumentReading,
  createArgumentSource,
  type Position,
  textBetween,
} from './argument.ts';
import type { CommandName, Outcome } from './command.ts';
import { type CommandHead, commandHeadAt, interpretCommand, RIGHT_FORM } from './command-syntax.ts';
import { finalWith } from './prose-answer.ts';
import { reject } from './rejection.ts';
import { isTriple, type Quote, search } from './scan.ts';

/** A command line that is being read: one command, or several with `;` between them. */
export interface CommandLine {
  /** Reads on as far as the lines so far allow, giving out what is decided; true if the line is read to its end. */
  readonly read: () => boolean;
  /** Takes a following line, which must be neither a fence nor a command line, except inside a literal, and reads on. */
  readonly add: (line: string) => boolean;
  /** Takes a line of a block that lies in the argument. */
  readonly addVerbatim: (line: string) => void;
  /** True while the argument may be one quoted literal that has not closed: fences and commands are part of it. */
  readonly insideLiteral: () => boolean;
  /** True while an answer's argument waits for its closing parenthesis: a block may lie in it. */
  readonly isOpenAnswer: () => boolean;
  /** Lines that were taken and are not part of the command, once it has been read to its end. */
  readonly unread: () => readonly string[];
  /** No line can follow: decides what is left, and returns the lines that are not part of it. */
  readonly finish: (ending: { readonly cutOff: boolean }) => readonly string[];
}

interface OpenCommand {
  readonly head: CommandHead;
  readonly line: number;
  /** True behind a quote mark: of the command itself, or of one before it on the same command line. */
  readonly quoted: boolean;
  readonly argument: ArgumentReader;
}

/**
 * Opens the command line that begins with `head`.
 *
 * The lines of its source are only ever looked at for its argument: what the argument leaves of them is prose.
 */
export function openCommandLine(
  first: string,
  { head, neverClosed }: { readonly head: CommandHead; readonly neverClosed: Set<Quote> },
  emit: (outcome: Outcome) => void,
): CommandLine {
  const source = createArgumentSource(first, neverClosed);
  /** Number of lines that the commands of this line have used. */
  let used = 1;
  /** How many commands of this line have been read to their closing parenthesis. */
  let closes = 0;
  let open: OpenCommand | undefined = openCommand(source, { head, line: 0, quoted: head.quoted });

  /** Gives out the outcome of a command; a quoted answer is a quotation, whatever its argument. */
  function give(command: OpenCommand, outcome: () => Outcome): void {
    emit(command.quoted && isAnswer(command.head.name) ? quotation(source, command) : outcome());
  }

  function read({ cutOff }: { readonly cutOff: boolean } = { cutOff: false }): boolean {
    while (open !== undefined) {
      const reading = open.argument.read();
      if (reading === undefined) return false;
      const command = open;
      if (reading.type === 'unbalanced') {
        give(command, () => unbalanced(source, command, cutOff));
        open = undefined;
      } else if (reading.at === undefined) {
        give(command, () => extraArguments(source, command));
        open = undefined;
      } else {
        open = close(open, reading.at, reading.type === 'extra-arguments');
      }
    }
    return true;
  }

  /** Gives out the command that closes at `at`, and gives the next one on that line. */
  function close(command: OpenCommand, at: Position, extra: boolean): OpenCommand | undefined {
    used = Math.max(used, at.line + 1);
    closes += 1;
    const tail = readTail(source.lines[at.line] ?? '', at.column);
    const { trailing } = tail;
    give(command, () => {
      if (extra) return extraArguments(source, command);
      if (trailing !== undefined) return trailingText(source, command, { trailing, at });
      const start = { line: command.line, column: command.head.argument };
      const argument = textBetween(source, start, { line: at.line, column: tail.close });
      return interpretCommand(command.head.name, argument);
    });
    if (tail.next === undefined) return undefined;
    const quoted = command.quoted || tail.next.quoted;
    return openCommand(source, { head: tail.next, line: at.line, quoted });
  }

  function add(line: string): boolean {
    source.lines.push(line);
    return read();
  }

  function finish(ending: { readonly cutOff: boolean }): readonly string[] {
    const quote = open?.argument.openQuote();
    const isAnswerOpen = open !== undefined && isAnswer(open.head.name);
    if (quote !== undefined) neverClosed.add(quote);
    source.complete = true;
    // A block behind an answer that cannot be read may belong to the answer: it does not run.
    const mayBeLost = quote === undefined || (isAnswerOpen && isTriple(quote));
    const before = closes;
    read(mayBeLost || source.lines.length === used ? ending : { cutOff: false });
    const isLost = mayBeLost && closes === before;
    return isLost ? [] : source.lines.slice(used);
  }

  return {
    read,
    add,
    addVerbatim(line) {
      source.verbatim.add(source.lines.length);
      source.lines.push(line);
    },
    insideLiteral: () => open?.argument.openQuote() !== undefined && !source.complete,
    isOpenAnswer: () => open !== undefined && isAnswer(open.head.name) && open.argument.waitsForParenthesis(),
    unread: () => source.lines.slice(used),
    finish,
  };
}

function openCommand(source: ArgumentSource, command: Omit<OpenCommand, 'argument'>): OpenCommand {
  const start = { line: command.line, column: command.head.argument };
  return { ...command, argument: createArgumentReading(source, start) };
}

function isAnswer(name: CommandName): boolean {
  return name === 'FINAL' || name === 'FINAL_VAR';
}

/** The text of a command as far as it was read, from its name to the end of its line. */
function lineOf(source: ArgumentSource, command: OpenCommand): string {
  return (source.lines[command.line] ?? '').slice(command.head.start);
}

function unbalanced(source: ArgumentSource, command: OpenCommand, cutOff: boolean): Outcome {
  const { name } = command.head;
  if (cutOff) {
    const problem = 'the reply was cut off before the closing parenthesis, so the command did not run';
    return reject('cut-off', lineOf(source, command), {
      problem,
      form: `write it again, shorter: ${RIGHT_FORM[name]}`,
    });
  }
  const problem =
    'no parenthesis closes the argument before the next fence, the next command line or the end of the reply';
  return reject('unbalanced', lineOf(source, command), {
    problem,
    form: `write ${RIGHT_FORM[name]}`,
    ...defined({ send: closed(source, command) }),
  });
}

/** An answer that lacks its end, closed, if it is one line. */
function closed(source: ArgumentSource, command: OpenCommand): string | undefined {
  const rest = source.lines.slice(command.line + 1);
  if (command.head.name !== 'FINAL' || rest.some((line) => line.trim() !== '')) return undefined;
  const text = (source.lines[command.line] ?? '').slice(command.head.argument);
  const answer = text.trim().replace(/^["']+|["')]+$/g, '');
  return answer === '' ? undefined : finalWith(answer);
}

function extraArguments(source: ArgumentSource, command: OpenCommand): Outcome {
  const { name } = command.head;
  const problem = `${name} takes one argument, and a comma follows the first`;
  return reject('extra-arguments', lineOf(source, command), { problem, form: `write ${RIGHT_FORM[name]}` });
}

function trailingText(
  source: ArgumentSource,
  command: OpenCommand,
  { trailing, at }: { readonly trailing: string; readonly at: Position },
): Outcome {
  const problem = `text follows the closing parenthesis (it begins with ${JSON.stringify(trailing.slice(0, 20).trim())})`;
  const form = `write ${RIGHT_FORM[command.head.name]} and nothing else on the line`;
  const line = source.lines[command.line] ?? '';
  const send = at.line === command.line ? line.slice(command.head.start, at.column + 1) : undefined;
  return reject('trailing-text', lineOf(source, command), { problem, form, ...defined({ send }) });
}

function quotation(source: ArgumentSource, command: OpenCommand): Outcome {
  const problem = 'a final answer behind a quote mark (>) is a quotation and does not count';
  const form = `to answer, write ${RIGHT_FORM[command.head.name]} without the mark`;
  return reject('quotation', lineOf(source, command), { problem, form });
}

/** The rest of a command's line, after the closing parenthesis. */
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
  let end = line.indexOf(';', close + 1);
  let next: CommandHead | undefined;
  while (end !== -1) {
    next = commandHeadAt(line, end + 1);
    if (next !== undefined) break;
    end = line.indexOf(';', end + 1);
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
  return at;
}
