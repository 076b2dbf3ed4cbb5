/**
 * The commands that a reply gives by name: their right forms, where one begins on a line, and what its argument asks for.
 *
 * @module
 */
import { isSnapshotName } from '../repl/names.ts';
import type { CommandName, FinalForm, Outcome, RejectionCode } from './command.ts';
import { removeUniformIndentation } from './fenced-block.ts';
import { answerToSend } from './prose-answer.ts';
import { readQueryList } from './query-list.ts';
import { reject } from './rejection.ts';
import { isBlankFString, isFString, listMarkerEnd, literalAt, skipBlanks } from './scan.ts';

/** The right form of each command, as the messages show it. */
export const RIGHT_FORM: Readonly<Record<CommandName, string>> = {
  FINAL: 'FINAL("your answer")',
  FINAL_VAR: 'FINAL_VAR(variable_name)',
  RUN: 'RUN(shell command)',
  CODE: 'CODE(python code)',
  SNAPSHOT: 'SNAPSHOT(name)',
  ROLLBACK: 'ROLLBACK(name)',
  QUERY_LLM: 'QUERY_LLM(your question)',
  QUERY_LLM_BATCHED: 'QUERY_LLM_BATCHED(["first question", "second question"])',
};

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

/** The command that `name(argument)` is, or why it is invalid. */
export function interpretCommand(name: CommandName, argument: string): Outcome {
  const { form, value, text } = readArgument(argument);
  if (value.trim() === '' || (form === 'f-string' && isBlankFString(value))) {
    return invalid(name, argument, { code: 'empty', problem: 'the argument is empty' });
  }
  switch (name) {
    case 'FINAL':
      return { kind: 'command', command: { type: 'final', form: finalForm(form, value), value } };
    case 'FINAL_VAR':
      return interpretVariable(argument, value.trim());
    case 'RUN':
      return { kind: 'command', command: { type: 'bash', command: value } };
    case 'CODE':
      return { kind: 'command', command: { type: 'cell', code: codeOf(text ? argument : value, text) } };
    case 'SNAPSHOT':
    case 'ROLLBACK':
      return interpretSnapshot(name, argument, value.trim());
    case 'QUERY_LLM':
      return { kind: 'command', command: { type: 'query-llm', prompt: value } };
    case 'QUERY_LLM_BATCHED':
      return interpretBatch(argument, value.trim());
  }
}

interface ReadArgument {
  readonly form: 'literal' | 'f-string' | 'text';
  /** The literal's text; otherwise the argument as written, trimmed. */
  readonly value: string;
  /** True if the value is the argument as written. */
  readonly text: boolean;
}

function readArgument(argument: string): ReadArgument {
  const trimmed = argument.trim();
  const literal = literalAt(trimmed, 0);
  const whole = literal?.end === trimmed.length ? literal : undefined;
  if (whole !== undefined && !whole.prefix.includes('f') && !whole.prefix.includes('b')) {
    return { form: 'literal', value: whole.value, text: false };
  }
  return { form: isFString(trimmed) ? 'f-string' : 'text', value: trimmed, text: true };
}

const asciiIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

function finalForm(form: ReadArgument['form'], value: string): FinalForm {
  return form === 'text' && asciiIdentifier.test(value) ? 'identifier' : form;
}

/** The code of `CODE(…)`, with the indentation its lines share removed. Code that is not quoted is trimmed too. */
function codeOf(code: string, trim: boolean): string {
  const dedented = removeUniformIndentation(code.split('\n')).join('\n');
  return trim ? dedented.trim() : dedented;
}

/** Python allows letters of any script in a name. Two searches, not one repeated class: that could overflow on a long text. */
function isPythonIdentifier(name: string): boolean {
  return /^[\p{XID_Start}_]/u.test(name) && !/\P{XID_Continue}/u.test(name);
}

function interpretVariable(argument: string, name: string): Outcome {
  if (isPythonIdentifier(name)) return { kind: 'command', command: { type: 'final-var', name } };
  const problem = 'FINAL_VAR takes the name of a variable, and this is a value';
  return reject('invalid-name', `FINAL_VAR(${argument})`, { problem, ...answerToSend(name) });
}

function interpretSnapshot(command: 'SNAPSHOT' | 'ROLLBACK', argument: string, name: string): Outcome {
  if (isSnapshotName(name)) {
    return { kind: 'command', command: { type: command === 'SNAPSHOT' ? 'snapshot' : 'rollback', name } };
  }
  const problem =
    'a snapshot name is 1 to 64 letters, digits, dots, underscores or hyphens and begins with a letter or digit';
  return invalid(command, argument, { code: 'invalid-name', problem });
}

function interpretBatch(argument: string, list: string): Outcome {
  const read = readQueryList(list);
  if (read.type === 'problem') return invalid('QUERY_LLM_BATCHED', argument, read);
  if (read.items.length > 0) return { kind: 'command', command: { type: 'query-llm-batched', items: read.items } };
  return invalid('QUERY_LLM_BATCHED', argument, { code: 'empty', problem: 'the list is empty' });
}

function invalid(
  name: CommandName,
  argument: string,
  { code, problem }: { readonly code: RejectionCode; readonly problem: string },
): Outcome {
  return reject(code, `${name}(${argument})`, { problem, form: `write ${RIGHT_FORM[name]}` });
}
