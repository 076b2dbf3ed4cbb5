import type { Outcome } from './command.ts';
import { closesFence } from './fence.ts';
import { blockToSend, reject } from './rejection.ts';
import { openingOf } from './visible-lines.ts';

/** Lines of unclosed reasoning that are looked at for the command to show back. */
export const REPEATED_LINES = 200;

/** The rejection of commands inside reasoning that never closed. */
export function unclosedReasoning(lines: readonly string[]): Outcome {
  const problem = 'you opened your reasoning and never closed it, so the commands inside it were not run';
  const send = commandIn(lines);
  const form = 'close it with </think>, or send the block without it';
  return reject('unclosed-reasoning', '<think>', send === undefined ? { problem, form } : { problem, send });
}

/** The first command that the lines begin with, as text to send. */
function commandIn(lines: readonly string[]): string | undefined {
  const [first = '', ...rest] = lines;
  const opening = openingOf(first);
  if (opening === undefined) return first.trim();
  const end = rest.findIndex((line) => closesFence(line, opening));
  return blockToSend(rest.slice(0, end === -1 ? undefined : end).join('\n'));
}
