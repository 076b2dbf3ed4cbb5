import { messageOf, RlmError } from '../errors.ts';
import { onOneLine } from './terminal-text.ts';

/** Longest message of an error: enough for every cause, and no server can fill the screen. */
const MESSAGE_CHARS = 1_200;

/** What a person is told of an error: what happened, what to do, and the stable code; never a stack. */
export function describeError(error: unknown): string {
  if (!RlmError.isInstance(error)) return `fathom: ${onOneLine(messageOf(error), MESSAGE_CHARS)}`;
  const advice = ADVICE[error.code];
  return `fathom: ${onOneLine(error.message, MESSAGE_CHARS)}${advice === undefined ? '' : ` ${advice}`} [${error.code}]`;
}

/** What to do where the engine, which does not know the command line, cannot say it. */
const ADVICE: Partial<Record<RlmError['code'], string>> = {
  'price-unknown': 'On the command line: leave out --max-cost.',
  'isolation-unavailable': 'See `fathom doctor`.',
  'missing-key': 'See `fathom doctor`.',
};
