import { messageOf, RlmError } from '../../errors.ts';
import type { TextStream } from './console.ts';
import { onOneLine } from './terminal-text.ts';
import { wrapped } from './wrapped.ts';

/** Longest message of an error: enough for every cause, and no server can fill the screen. */
const MESSAGE_CHARS = 1_200;

/** Tells a person of an error: what happened, what to do, and the stable code; never a stack. */
export function printError(error: unknown, stderr: TextStream): void {
  stderr.write(`${wrapped(describeError(error), stderr, 2)}\n`);
}

function describeError(error: unknown): string {
  if (!RlmError.isInstance(error)) return `fathom: ${onOneLine(messageOf(error), MESSAGE_CHARS)}`;
  const advice = ADVICE[error.code];
  return `fathom: ${onOneLine(error.message, MESSAGE_CHARS)}${advice === undefined ? '' : ` ${advice}`} [${error.code}]`;
}

/** What to do where the engine, which does not know the command line, cannot say it. */
const ADVICE: Partial<Record<RlmError['code'], string>> = {
  'price-unknown': 'On the command line: leave out --max-cost.',
  'isolation-unavailable': 'On the command line: --isolation. See `fathom doctor`.',
  'missing-key': 'See `fathom doctor`.',
};
