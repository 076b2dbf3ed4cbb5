/**
 * Code that is not Python for a reason that can be seen in its text: prompts of a console, numbers of lines, characters of a
 * word processor. The hint names what was seen and gives the code as it was meant.
 *
 * @module
 */
import { blockToSend, finalWith } from '../protocol/index.ts';
import type { Note } from './feedback.ts';

/** A cell that failed. */
export interface FailedCode {
  readonly code: string;
  readonly error: { readonly type: string; readonly message: string } | undefined;
}

interface Repair {
  /** Ends the sentence "The code was not Python: …". */
  readonly seen: string;
  /** The code as it was meant; undefined where this is not what is wrong. */
  readonly repair: (code: string) => string | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  apos: "'",
  '#39': "'",
  '#x27': "'",
  lt: '<',
  gt: '>',
  amp: '&',
};
const ENTITY = new RegExp(`&(${Object.keys(ENTITIES).join('|')});`, 'g');
const CONSOLE = /^[ \t]*(?:>>>|\.\.\.)(?: |$)|^[ \t]*In \[\d+\]: /;
const NUMBERED = /^[ \t]*\d+[ \t]*[|:│][ \t]?/;

const REPAIRS: readonly Repair[] = [
  {
    seen: 'its lines begin with the prompts of a console',
    repair(code) {
      // Lines without a prompt are output.
      const lines = code.split('\n').filter((line) => CONSOLE.test(line));
      return lines.length === 0 ? undefined : lines.map((line) => line.replace(CONSOLE, '')).join('\n');
    },
  },
  {
    seen: 'its lines begin with their numbers',
    repair(code) {
      const lines = code.split('\n').filter((line) => line.trim() !== '');
      return lines.every((line) => NUMBERED.test(line))
        ? lines.map((line) => line.replace(NUMBERED, '')).join('\n')
        : undefined;
    },
  },
  {
    seen: 'commands with % belong to notebooks',
    repair: (code) => unlessSame(code, code.replace(/^%%\w+.*\n|^([ \t]*)%(?:time|timeit|prun)[ \t]+/gm, '$1')),
  },
  {
    seen: 'it has quotation marks, blanks or invisible characters of a word processor',
    repair: (code) =>
      unlessSame(
        code,
        code
          .replace(/[\u200b-\u200d\u2060\ufeff]/g, '')
          .replace(/[\u00a0\u2007\u202f\u3000]/g, ' ')
          .replace(/[“”„‟«»]/g, '"')
          .replace(/[‘’‚‛]/g, "'"),
      ),
  },
  {
    seen: 'it is written with the entities of HTML',
    repair: (code) =>
      unlessSame(
        code,
        code.replace(ENTITY, (whole, name: string) => ENTITIES[name] ?? whole),
      ),
  },
  {
    seen: 'there is no function around its `return`',
    repair: (code) =>
      unlessSame(
        code,
        code.replace(/^return[ \t]+(FINAL(?:_VAR)?\(.*|.+)$/m, (_, value: string) => returned(value)),
      ),
  },
];

function returned(value: string): string {
  return value.startsWith('FINAL') ? value : `print(${value})`;
}

function unlessSame(code: string, repaired: string): string | undefined {
  return repaired === code ? undefined : repaired;
}

/** Characters of a cell above which its form is not looked at. */
const LOOKED_AT_CHARS = 20_000;

/** A shell command in a cell, as notebooks have it. */
const BANG = /^[ \t]*!(?!=)(.+)$/;
/** A sentence alone: words without what makes code. */
const SENTENCE = /^[A-Z][\w'’-]*(?: +[\w'’%.,-]+){2,40}[.!?]?$/;

/** The hint for code that Python could not read, with what was meant. */
export function repairedCode({ code, error }: FailedCode): Note | undefined {
  if (code.length > LOOKED_AT_CHARS) return undefined;
  if (error === undefined || !/^(?:SyntaxError|IndentationError|TabError)$/.test(error.type)) return undefined;
  const lines = code.split('\n').filter((line) => line.trim() !== '');
  const commands = lines.map((line) => BANG.exec(line)?.[1]);
  if (commands.length > 0 && commands.every((command) => command !== undefined)) {
    return {
      text: 'A line with ! is a shell command of notebooks, and this block is Python. Send exactly this',
      send: `\`\`\`bash\n${commands.join('\n')}\n\`\`\``,
    };
  }
  const sentence = lines.length === 1 && SENTENCE.test(lines[0]?.trim() ?? '') ? finalWith(code.trim()) : undefined;
  if (sentence !== undefined) {
    return {
      text: 'A block is run as Python, and this one holds a sentence. If it is your answer, send exactly this and nothing else',
      send: sentence,
    };
  }
  for (const { seen, repair } of REPAIRS) {
    const repaired = repair(code);
    const send = repaired === undefined ? undefined : blockToSend(repaired);
    if (send !== undefined) return { text: `The code was not Python: ${seen}. Send exactly this`, send };
  }
  return undefined;
}

/** Names under which other systems take an answer from code. */
const ANSWER_NAMES =
  /^(?:final_?answer|finalanswer|final|submit_?answer|return_?answer|give_?answer|output_?answer|finish)$/i;

/** `final_answer(42)` in a cell. */
export function answerByOtherName({ code, error }: FailedCode): Note | undefined {
  const name = error?.type === 'NameError' ? /^name '(\w+)' is not defined/.exec(error.message)?.[1] : undefined;
  if (name === undefined || !ANSWER_NAMES.test(name)) return undefined;
  const send = blockToSend(code.replace(new RegExp(`\\b${name}(?=\\s*\\()`, 'g'), 'FINAL'));
  if (send === undefined) return undefined;
  return { text: `There is no ${name} here: the answer is given by FINAL. Send exactly this`, send };
}
