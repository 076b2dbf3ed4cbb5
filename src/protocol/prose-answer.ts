import type { Outcome } from './command.ts';
import { reject } from './rejection.ts';
import { isPlaceholder } from './scan.ts';

/** `Final Answer: X`, `**Answer:** X`, `FINAL: X`, as models write it that were trained on other protocols. */
const ANSWER_LINE =
  /^[\s>#*_`-]{0,12}(?:the\s+)?(?:final\s+answer|answer|final|result)\b[\s*_]{0,6}(?:is\b|[:：=])[\s*_:]{0,6}(\S.*)$/i;
/** LaTeX, as models write it that were trained on mathematics. */
const BOXED = /\\boxed\{([^{}]*)\}/;
/** Longest answer that a message repeats. A longer one would be shortened by a model that copies it. */
const REPEATED_CHARS = 2_000;

/** The answer that a line of prose gives, if it gives one. */
export function answerInProse(line: string): string | undefined {
  const boxed = BOXED.exec(line)?.[1];
  const text = boxed ?? ANSWER_LINE.exec(line)?.[1];
  const answer = text?.replace(/[\s*_`]+$/, '').trim();
  return answer === undefined || answer === '' || isPlaceholder(answer) ? undefined : answer;
}

/** The answer that a whole reply gives in prose: the last one that its lines give. */
export function proseAnswerOf(reply: string): string | undefined {
  return reply
    .split('\n')
    .map((line) => answerInProse(line))
    .findLast((answer) => answer !== undefined);
}

/** The rejection of an answer in a sentence, with the line that would give it. */
export function answerInSentence(read: string, answer: string): Outcome {
  const problem = 'an answer in a sentence does not count';
  const form = 'to give this answer, send this line and nothing else';
  return reject('answer-in-prose', read, { problem, form, ...answerToSend(answer) });
}

/** For a rejection: the line that gives an answer, or for an answer too long to repeat the form to use. */
export function answerToSend(answer: string): { readonly send: string } | { readonly form: string } {
  const send = finalWith(answer);
  return send === undefined ? { form: 'send the whole answer again as FINAL("…"), and nothing else' } : { send };
}

/** `FINAL(…)` with a text as its quoted argument; undefined for a text that is too long to repeat. */
export function finalWith(answer: string): string | undefined {
  return answer.length > REPEATED_CHARS ? undefined : `FINAL(${JSON.stringify(answer)})`;
}
