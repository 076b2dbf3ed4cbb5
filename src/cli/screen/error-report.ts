import { messageOf, RlmError } from '../../errors.ts';
import { exitCodeOfError } from '../exit-codes.ts';
import type { Console, TextStream } from './console.ts';
import { wrapped } from './layout.ts';
import { inOptionWords } from './option-words.ts';
import { onOneLine, writeJson } from './terminal-text.ts';

/** Longest message of an error: enough for every cause, and no server can fill the screen. */
const MESSAGE_CHARS = 1_200;

/** Prints an error: its message, advice, and the stable code; never a stack. */
export function printError(error: unknown, stderr: TextStream): void {
  stderr.write(`${wrapped(describeError(error), stderr, 2)}\n`);
}

/** An error on one line: its message, advice, and the stable code. */
export function describeError(error: unknown): string {
  if (!RlmError.isInstance(error)) return `fathom: ${onOneLine(messageOf(error), MESSAGE_CHARS)}`;
  const advice = ADVICE[error.code];
  return `fathom: ${onOneLine(inOptionWords(error.message), MESSAGE_CHARS)}${advice === undefined ? '' : ` ${advice}`} [${error.code}]`;
}

/** Advice in the words of the command line, which the engine does not know. */
const ADVICE: Partial<Record<RlmError['code'], string>> = {
  'isolation-unavailable': 'See `fathom doctor`.',
  'model-not-found': '`fathom models TEXT` lists models.',
  'missing-key': 'See `fathom doctor`.',
};

/** Does the work of a command and prints its error, with `--json` also as JSON. Never rejects. */
export async function reported(
  { json }: { readonly json?: true },
  { stdout, stderr }: Console,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (json === true) writeJson(stdout, { error: errorFacts(error) });
    printError(error, stderr);
    return exitCodeOfError(error);
  }
}

/** An error as `--json` prints it: its stable code, and whether a retry or the user can fix it. */
export function errorFacts(error: unknown): Readonly<Record<string, unknown>> {
  return {
    code: RlmError.isInstance(error) ? error.code : 'failed',
    message: inOptionWords(messageOf(error)),
    retryable: RlmError.isInstance(error) && error.retryable,
    userAction: RlmError.isInstance(error) && error.userAction,
  };
}
