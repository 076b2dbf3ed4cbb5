/**
 * A root model that writes as small models do: before a right move it shows a habit, repeats it until the feedback holds
 * the exact text to send, and then sends only that text.
 */

/** The steps of a task, as its root has to take them. */
export type Move =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'answer'; readonly text: string; readonly variable: string };

/** A way to get a move wrong. */
export interface Habit {
  readonly name: string;
  /** The reply; undefined where the move has no such form. */
  readonly write: (move: Move, first: boolean) => string | undefined;
}

const fence = (code: string, tag = 'repl'): string => `\`\`\`${tag}\n${code}\n\`\`\``;
const toolCall = (name: string, input: object): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: input })}\n</tool_call>`;

function codeHabit(name: string, write: (code: string, first: boolean) => string | undefined): Habit {
  return { name, write: (move, first) => (move.kind === 'code' ? write(move.code, first) : undefined) };
}

function answerHabit(name: string, write: (text: string, variable: string) => string | undefined): Habit {
  return { name, write: (move) => (move.kind === 'answer' ? write(move.text, move.variable) : undefined) };
}

const IMPORT = /^(?:import|from) .*\n/m;

export const HABITS: readonly Habit[] = [
  codeHabit('a tool call in tags', (code) => toolCall('python', { code })),
  codeHabit('a call of a tool of its own', (code) => toolCall('analyze_document', { code })),
  codeHabit('a call without code', () => toolCall('search_context', { query: 'the first lines', limit: 3 })),
  codeHabit('tool_code', (code) => fence(code, 'tool_code')),
  codeHabit('a tool call in a fence', (code) => fence(JSON.stringify({ name: 'python', arguments: { code } }), 'json')),
  codeHabit('reasoning that never closes', (code) => `<think>I have to look.\n${fence(code, 'python')}\nThen I see.`),
  codeHabit('a block in closed reasoning', (code) => `<think>I have to look.\n${fence(code, 'python')}\n</think>`),
  codeHabit('a closing fence on the last line', (code) => `\`\`\`python\n${code}\`\`\``),
  codeHabit('a block that is cut', (code) => `\`\`\`repl\n${code.slice(0, code.lastIndexOf('(') + 1)}`),
  codeHabit('no import', (code) => (IMPORT.test(code) ? fence(code.replace(IMPORT, '')) : undefined)),
  codeHabit('a package that is not there', (code) => fence(`import pandas as pd\n${code}`)),
  codeHabit('an announcement', () => 'I will look at the context first and count what is in it.'),
  codeHabit('another language', () => fence('SELECT COUNT(*) FROM context;', 'sql')),
  codeHabit('a guess', (_, first) => (first ? 'FINAL("I think it is 7")' : undefined)),
  answerHabit('a final answer in bold', (text) => `**Final Answer:** ${text}`),
  answerHabit('a final answer in capitals', (text) => `I have all I need.\n\nFINAL ANSWER: ${text}`),
  answerHabit('an answer', (text) => `Answer: ${text}`),
  answerHabit('a box', (text) => (/[{}]/.test(text) ? undefined : `So the result is \\boxed{${text}}.`)),
  answerHabit('a value in FINAL_VAR', (text) => (/^\w*$/.test(text) ? undefined : `FINAL_VAR(${text})`)),
  answerHabit('FINAL without quotes in a cell', (text) => fence(`FINAL(Answer: ${text})`)),
  answerHabit('FINAL_VAR in a comment', (_, variable) => fence(`# FINAL_VAR(${variable})`)),
  answerHabit('a name that does not exist', (_, variable) => `FINAL_VAR(${variable.toUpperCase()}_)`),
  answerHabit('a command in a sentence', (text) => `So I conclude with FINAL(${JSON.stringify(text)}) as asked.`),
  answerHabit('a missing parenthesis', (text) => `FINAL("${text.replaceAll('"', "'")}`),
  answerHabit('the reserved draft', (text) => fence(`answer = ${JSON.stringify(text)}`)),
  answerHabit('the answer alone', (text) => text),
  answerHabit('an answer beside unseen output', (text) => `${fence('print(1)')}\nFINAL(${JSON.stringify(text)})`),
  answerHabit('a tool that answers', (text) => toolCall('final_answer', { answer: text })),
];

/** How a root is made. */
export interface CarelessOptions {
  readonly moves: readonly Move[];
  /** In [0, 1). */
  readonly random: () => number;
  /** Chance of a habit before a move. */
  readonly carelessness: number;
}

/** The messages of the root, and why it sent them. */
export interface CarelessRoot {
  readonly reply: (feedback: string) => string;
  /** Names of the habits it showed. */
  readonly shown: readonly string[];
}

export function carelessRoot({ moves, random, carelessness }: CarelessOptions): CarelessRoot {
  const shown: string[] = [];
  let at = -1;
  let sent = '';

  function next(): string {
    at = Math.min(at + 1, moves.length - 1);
    const move = moves[at];
    if (move === undefined) return 'FINAL("nothing to do")';
    const habit = random() < carelessness ? pick(move) : undefined;
    if (habit !== undefined) shown.push(habit.name);
    return habit?.write(move, at === 0) ?? right(move);
  }

  function pick(move: Move): Habit | undefined {
    const fitting = HABITS.filter(({ write }) => write(move, at === 0) !== undefined);
    return fitting[Math.floor(random() * fitting.length)];
  }

  function answer(feedback: string): string {
    const move = moves[at];
    if (move === undefined) return next();
    const ran = /^\[t\d+\.\d+\] cell: ok/m.test(feedback);
    if (move.kind === 'code' && ran) return holds(sent, move) ? next() : right(move);
    return exactTextIn(feedback, move) ?? sent;
  }

  return {
    shown,
    reply(feedback) {
      sent = at === -1 ? next() : answer(feedback);
      return sent;
    },
  };
}

function right(move: Move): string {
  return move.kind === 'code' ? fence(move.code) : `FINAL(${JSON.stringify(move.text)})`;
}

/** The move's own code is part of what was sent, whatever form it has. */
function holds(sent: string, move: Move): boolean {
  if (move.kind !== 'code') return false;
  const letters = (text: string): string => text.replaceAll('\\n', '').replace(/\\(.)/g, '$1').replace(/\s/g, '');
  return letters(sent).includes(letters(move.code.replace(IMPORT, '')));
}

/** The text that a message gives to be sent: an indented block below a note, or a filled-in command within it. */
function exactTextIn(feedback: string, move: Move): string | undefined {
  const own = feedback.split('\n').filter((line) => !line.startsWith('| '));
  const from = own.findLastIndex((line) => line.startsWith('Note: '));
  if (from === -1) return undefined;
  const below = own.slice(from + 1);
  const end = below.findIndex((line) => !line.startsWith('    '));
  const copied = below.slice(0, end === -1 ? undefined : end).map((line) => line.slice(4));
  if (copied.length > 0) return copied.join('\n');
  const commands = own.join('\n').match(/FINAL(?:_VAR)?\((?:"(?:[^"\\]|\\.)*"|[^)\n]*)\)/g) ?? [];
  return commands.find((command) => move.kind === 'answer' && command.includes(move.text));
}
