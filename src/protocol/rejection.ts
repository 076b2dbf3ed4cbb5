import { defined } from '../defined.ts';
import type { Outcome, RejectionCode } from './command.ts';

/** Length of an excerpt in UTF-16 units: enough to find the place, too little to fill the model's window. */
export const EXCERPT_CHARACTERS = 80;

/** The start of `text` on one line, short, and never ending in half a surrogate pair. */
export function excerptOf(text: string): string {
  const start = text.slice(0, EXCERPT_CHARACTERS + 1).trim();
  const line = start.replaceAll('\n', ' ');
  if (line.length <= EXCERPT_CHARACTERS) return line;
  const last = line.charCodeAt(EXCERPT_CHARACTERS - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? EXCERPT_CHARACTERS - 1 : EXCERPT_CHARACTERS;
  return `${line.slice(0, end)}…`;
}

/**
 * A rejection as an outcome. The message reads: Read "excerpt": problem; right form.
 *
 * @param read what was read, whole or its start
 * @param problem what is wrong, without a full stop
 * @param form what to write instead, as the end of the sentence. Default: that the text in `send` follows
 * @param send the exact text to send instead, where it is known
 */
export function reject(
  code: RejectionCode,
  read: string,
  { problem, form = SEND_THIS, send }: { problem: string; form?: string; send?: string },
): Outcome {
  const excerpt = excerptOf(read);
  const message = `Read "${excerpt}": ${problem}; ${form}.`;
  return { kind: 'rejection', rejection: { code, excerpt, message, ...defined({ send }) } };
}

const SEND_THIS = 'send exactly this and nothing else';

/** Longest code that a rejection repeats as the text to send. */
const REPEATED_CODE_CHARS = 1_500;

/** Code as the block to send, unless it is too long to repeat. */
export function blockToSend(code: string): string | undefined {
  if (code.trim() === '' || code.length > REPEATED_CODE_CHARS) return undefined;
  const fence = code.includes('```') ? '~~~~' : '```';
  return `${fence}repl\n${code.replace(/^\n+|\s+$/g, '')}\n${fence}`;
}
