import { createInterface } from 'node:readline/promises';
import type { CommandPolicy } from '../engine/command-policy.ts';

/** Characters of a command that a question shows. */
const SHOWN_CHARS = 2_000;

/**
 * Asks a person on the terminal, with `n` as the default; undefined where there is no terminal. Control characters of the
 * command are shown as escapes, so that it cannot rewrite the question.
 */
export function askOnTerminal(
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): CommandPolicy['ask'] {
  if (!input.isTTY || !output.isTTY) return undefined;
  // One question at a time.
  let last: Promise<unknown> = Promise.resolve();
  return (question) => {
    const asked = last.then(async () => {
      const lines = createInterface({ input, output });
      try {
        const shown = visible(question.source.slice(0, SHOWN_CHARS));
        const answer = await lines.question(`\n${shown}\n${visible(question.message)}. Run it? [y/N] `);
        return /^y(?:es)?$/i.test(answer.trim());
      } finally {
        lines.close();
      }
    });
    last = asked.catch(() => undefined);
    return asked;
  };
}

function visible(text: string): string {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
