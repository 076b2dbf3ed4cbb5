/**
 * The sentences the engine says to the model when something was not done.
 *
 * @module
 */

import { FIRST_LOOK, finalWith } from '../protocol/index.ts';
import type { Note } from './feedback.ts';
import { likelyName, onlyName } from './likely-name.ts';
import { nameAsRepr } from './quoted.ts';

/** A reply has an answer and a command that failed. */
export const REFUSED_AFTER_FAILURE: string =
  'Your answer was not taken: a command before it in the same reply failed, and you had not seen the error. Look at it, then answer again.';

/** The stream of a reply broke while its first cells ran. */
export const BROKEN_OFF: string =
  'Your reply broke off while it arrived: it ends behind its last block that had begun to run, and the rest is lost.';

/** The root model's endpoint refused a message with images. */
export const IMAGES_REFUSED =
  'Note: Your endpoint refused the images, and they were taken out of the conversation. Ask a sub-model about them with llm_query(prompt, images=[…]).';

/** A written answer before anything looked at the context. */
export const REFUSED_UNSEEN_CONTEXT: Note = {
  text: 'Your answer was not taken: no code has looked at the context yet. Look at it first, then answer. Send exactly this and nothing else',
  send: `\`\`\`repl\n${FIRST_LOOK}\n\`\`\``,
};

/** A written answer behind code of the same reply. */
export function refusedUnseenOutput(answer: string): Note {
  const send = finalWith(answer);
  const confirm = send === undefined ? 'send the whole answer again as FINAL("…")' : 'send exactly this';
  return {
    text: `Your answer was not taken: it was written before you saw the output of the code in the same reply. The output is above. If it confirms the answer, ${confirm} and nothing else`,
    ...(send !== undefined && { send }),
  };
}

/** An answer of nothing but blanks. */
export const REFUSED_EMPTY: string =
  'Your answer was not taken: it is empty. Give the answer itself, or say in it that there is none.';

/** The words of a form instead of an answer. */
export function refusedPlaceholder(answer: string): string {
  return `Your answer was not taken: ${JSON.stringify(answer)} is the form to fill in, not an answer. Put the answer itself in its place.`;
}

/** `FINAL(name)` of an unbound name that looks like a variable. */
export function refusedUnbound(name: string, names: readonly string[]): Note {
  const likely = likelyName(name, names);
  const text = `FINAL(${name}) was not taken: there is no variable ${name}. ${boundNames(names)}`;
  if (likely === undefined)
    return { text: `${text} If you mean the text "${name}", send exactly this`, send: `FINAL("${name}")` };
  return {
    text: `${text} If you mean the text, give it in quotes; if you mean ${likely}, send exactly this`,
    send: `FINAL_VAR(${likely})`,
  };
}

/** `FINAL_VAR` of an unknown name. */
export function unknownVariable(name: string, names: readonly string[]): Note {
  const text = `FINAL_VAR(${name}): there is no variable ${name}. ${boundNames(names)}`;
  const likely = likelyName(name, names) ?? onlyName(names);
  return likely === undefined
    ? { text }
    : { text: `${text} To answer with ${likely}, send exactly this`, send: `FINAL_VAR(${likely})` };
}

function boundNames(names: readonly string[]): string {
  return names.length === 0
    ? 'You have no variables yet.'
    : `Your variables: ${names.slice(0, 50).map(nameAsRepr).join(', ')}.`;
}

/** A typed answer that does not fit. */
export function refusedType(errors: readonly string[]): string {
  return `Your answer was not taken: it does not fit the schema.\n${errors.map((error) => `- ${error}`).join('\n')}`;
}

/** An answer over `answerBytes`. */
export function refusedSize(bytes: number, limit: number): string {
  return `Your answer was not taken: it is ${bytes} bytes, and at most ${limit} (answerBytes) are allowed. Give a shorter one.`;
}

/** The request for the one last reply when a limit ends the run. */
export function lastCallMessage(reason: string): string {
  return [
    `The run ends here: ${reason.replace(/\.$/, '')}. Code is no longer run.`,
    'Give your best answer now, from what you know: FINAL(the answer), or FINAL_VAR(name) to use a variable of the REPL.',
  ].join(' ');
}

/** The REPL had to be killed and came back. */
export function restarted({ reason, lost }: { readonly reason: string; readonly lost: string }): string {
  return `The REPL was restarted: ${reason.replace(/\.$/, '')}. Now ${lost.replace(/\.$/, '')}.`;
}

/** A cell gave a name of the runtime to something of its own, or deleted it. */
export function rebound(names: readonly string[]): string {
  const some = names.slice(0, 10).map((name) => `\`${nameAsRepr(name)}\``);
  if (some.length === 1) return `${some[0]} is reserved; your assignment was undone. Use another name.`;
  return `${some.join(', ')} are reserved; your assignments were undone. Use other names.`;
}

/** The cost of one more reply of the kind, before it is written. */
export function lastWarning(kind: 'empty' | 'failed' | 'unfit', send: string | undefined): Note {
  const reply = { empty: 'such reply', failed: 'failed cell', unfit: 'answer that does not fit' }[kind];
  const text = `One more ${reply} ends the run`;
  return send === undefined ? { text } : { text: `${text}. Copy this`, send };
}
