/**
 * Hints after a command that failed, or did something that models do by mistake: each names what was seen and, where it
 * is known, the exact text to send. Pure; one table row per habit.
 *
 * @module
 */

import { blockToSend, FIRST_LOOK } from '../protocol/index.ts';
import type { Note } from './feedback.ts';
import { missingImport, missingModule } from './missing-names.ts';
import { answerByOtherName, repairedCode } from './repaired-code.ts';

/** A cell that was run, as far as hints look at it. */
export interface CellFacts {
  readonly code: string;
  readonly ok: boolean;
  readonly error: { readonly type: string; readonly message: string } | undefined;
  /** The reply ended inside the block: it has no closing fence. */
  readonly unclosed: boolean;
  /** The cell gave an answer. */
  readonly answered: boolean;
  /** Its flat sub-calls that were not items of a batch. */
  readonly singleCalls: number;
  /** Characters of the longest prompt of its flat sub-calls. */
  readonly longestPrompt: number;
  /** Names of the runtime that it has overwritten. */
  readonly rebound: readonly string[];
}

/** Single sub-calls of one cell from which on a batch is worth a line. */
export const MANY_SINGLE_CALLS = 20;
/** Characters of one prompt that are far too many for one question: about 50 000 tokens. */
export const HUGE_PROMPT_CHARS = 200_000;

type Hint = (cell: CellFacts) => Note | undefined;

/** In the order in which they are tried; of those about an error, the first that fits is given. */
const ON_ERROR: readonly Hint[] = [
  unquotedFinal,
  cutBlock,
  repairedCode,
  answerByOtherName,
  missingModuleHint,
  missingImportHint,
];
const ALWAYS: readonly Hint[] = [commentedFinal, overwrittenAnswer, manySingleCalls, hugePrompt];

/** The hints that a cell deserves. */
export function hintsFor(cell: CellFacts): readonly Note[] {
  const aboutError = firstOf(ON_ERROR, cell);
  const others = ALWAYS.map((hint) => hint(cell)).filter((note) => note !== undefined);
  return aboutError === undefined ? others : [aboutError, ...others];
}

function firstOf(hints: readonly Hint[], cell: CellFacts): Note | undefined {
  for (const hint of hints) {
    const note = hint(cell);
    if (note !== undefined) return note;
  }
  return undefined;
}

/** `FINAL(Answer: 62)` on a line of code. */
const FINAL_LINE = /^([ \t]*)FINAL\((?!["'])(.*[^)\s])\s*\)[ \t]*;?[ \t]*$/m;

function unquotedFinal({ code, error }: CellFacts): Note | undefined {
  if (error?.type !== 'SyntaxError') return undefined;
  const match = FINAL_LINE.exec(code);
  if (match === null) return undefined;
  const [line, indentation = '', text = ''] = match;
  const right = `FINAL(${jsonIn(text) ?? JSON.stringify(text.trim())})`;
  return {
    text: `In code the answer of FINAL needs quotes: ${right}. Send exactly this`,
    send: blockToSend(code.replace(line, () => indentation + right)) ?? right,
  };
}

/** The JSON text behind a label, where it is Python as well: `Answer: {"n": 62}`. */
function jsonIn(text: string): string | undefined {
  const json = /^[\w ]{1,40}:\s*([[{].*[\]}])\s*$/.exec(text)?.[1];
  if (json === undefined || /\b(?:true|false|null)\b/.test(json)) return undefined;
  try {
    JSON.parse(json);
    return json;
  } catch {
    return undefined;
  }
}

/** Errors of code that ends too early. */
const CUT =
  /never closed|unexpected EOF|unterminated|invalid syntax|expected (?:an indented block|':'|'except'|an expression)|incomplete/i;

function cutBlock({ code, unclosed, error }: CellFacts): Note | undefined {
  if (!unclosed || error === undefined || !/^(?:SyntaxError|IndentationError)$/.test(error.type)) return undefined;
  if (!CUT.test(error.message)) return undefined;
  return {
    text: 'Your block has no closing ``` and ends in the middle of a line, so none of it ran. Send the code in shorter blocks, each with a closing line ```. To begin, send exactly this',
    send: blockToSend(completeLines(code)) ?? blockToSend(FIRST_LOOK) ?? FIRST_LOOK,
  };
}

/** The lines before the first one that a cut may have harmed: up to the last at whose end no bracket or string is open. */
function completeLines(code: string): string {
  const whole: string[] = [];
  let pending: string[] = [];
  // The last line is the one that is cut.
  for (const line of code.split('\n').slice(0, -1).slice(0, MOST_LINES)) {
    pending.push(line);
    if (isOpen(pending.join('\n')) || /[:\\,]\s*$/.test(line)) continue;
    whole.push(...pending);
    pending = [];
  }
  return whole.join('\n');
}

/** Most lines of a cut block that are given back. */
const MOST_LINES = 60;

/** Whether a bracket or a string is open at the end of the code. */
function isOpen(code: string): boolean {
  const bare = code.replace(/"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#[^\n]*/g, '');
  if (/["']/.test(bare)) return true;
  return (bare.match(/[([{]/g) ?? []).length > (bare.match(/[)\]}]/g) ?? []).length;
}

function missingModuleHint({ code, error }: CellFacts): Note | undefined {
  const module = /^No module named '([\w.]+)'/.exec(error?.message ?? '')?.[1];
  return module === undefined ? undefined : missingModule(module, code);
}

function missingImportHint({ code, error }: CellFacts): Note | undefined {
  if (error?.type !== 'NameError') return undefined;
  const name = /^name '(\w+)' is not defined/.exec(error.message)?.[1];
  return name === undefined ? undefined : missingImport(name, code);
}

const COMMENTED = /^[ \t]*#[ \t]*(FINAL(?:_VAR)?\([^\n]*\))[ \t]*$/m;

function commentedFinal({ code, answered }: CellFacts): Note | undefined {
  const command = answered ? undefined : COMMENTED.exec(code)?.[1];
  // An answer that is in the code as well is judged by itself.
  if (command === undefined || /^[ \t]*(?:FINAL|FINAL_VAR|SUBMIT)\(/m.test(code)) return undefined;
  return {
    text: `${command} is in a comment of your code, and a comment is not run. To answer, send exactly this and nothing else`,
    send: command,
  };
}

function overwrittenAnswer({ rebound }: CellFacts): Note | undefined {
  if (!rebound.includes('answer')) return undefined;
  return {
    text: 'Your cell overwrote `answer`, which is reserved: a dict that holds your draft. The value was put into answer["content"]. Did you mean FINAL_VAR(answer)? To give it as the answer, send exactly this and nothing else',
    send: 'FINAL_VAR(answer)',
  };
}

function manySingleCalls({ singleCalls }: CellFacts): Note | undefined {
  if (singleCalls < MANY_SINGLE_CALLS) return undefined;
  return {
    text: `This cell made ${singleCalls} single calls of llm_query. Collect the prompts in a list and ask them all at once: replies = llm_query_batched(prompts)`,
  };
}

function hugePrompt({ longestPrompt }: CellFacts): Note | undefined {
  if (longestPrompt < HUGE_PROMPT_CHARS) return undefined;
  return {
    text: `One prompt of this cell had ${longestPrompt} characters: far too many for one question. Cut the text into pieces of about 50000 characters and ask all of them with llm_query_batched`,
  };
}
