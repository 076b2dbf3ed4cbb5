import type { Outcome } from './command.ts';
import { reject } from './rejection.ts';
import { isPlaceholder } from './scan.ts';

/** `Final Answer: X`, `**Answer:** X`, `FINAL: X`, as models write it that were trained on other protocols. */
const ANSWER_LINE =
  /^[\s>#*_`-]{0,12}(?:the\s+)?(?:final\s+answer|answer|final|result)\b[\s*_]{0,6}(?:is\b|[:：=])[\s*_:]{0,6}(\S.*)$/i;
/** The same in other languages. */
const ANSWER_ELSEWHERE =
  /^[\s>#*_`-]{0,12}(?:最终|最終)?(?:答案|回答|答え)[\s*_]{0,6}[:：是][\s*_:]{0,6}(\S.*)$|^[\s>#*_`-]{0,12}(?:(?:la |die |a |el |il )?(?:endgültige |finale )?(?:antwort|réponse|respuesta|resposta|risposta|ответ|окончательный ответ)(?: finale?)?)[\s*_]{0,6}[:：=][\s*_:]{0,6}(\S.*)$/iu;
/** `final_answer(42)`, `Final[42]`: the command as other systems write it. `FINAL(…)` itself is read before. */
const ANSWER_CALL =
  /^[\s>#*_`-]{0,12}(?:final(?:[_ ]?answer)?|submit|finish)[ \t]{0,4}(?:\((.*)\)|\[(.*)\]|\{(.*)\}|（(.*)）)[\s.;。*_`]*$/i;
/** A tag around the answer, as models write it that were trained to separate it from their reasoning. */
const ANSWER_TAG = /^\s*<(answer|final_?answer|final|result)>\s*(.*?)\s*<\/\1>\s*$/i;
/** LaTeX, as models write it that were trained on mathematics. */
const BOXED = /\\boxed\{([^{}]*)\}/;
/** Longest answer that a message repeats. A longer one would be shortened by a model that copies it. */
const REPEATED_CHARS = 2_000;

/** The answer that a line of prose gives, if it gives one. */
export function answerInProse(line: string): string | undefined {
  const boxed = BOXED.exec(line)?.[1];
  const text = boxed ?? ANSWER_LINE.exec(line)?.[1] ?? inOtherForm(line);
  const answer = text?.replace(/[\s*_`]+$/, '').trim();
  return answer === undefined || answer === '' || isPlaceholder(answer) ? undefined : answer;
}

function inOtherForm(line: string): string | undefined {
  const elsewhere = ANSWER_ELSEWHERE.exec(line);
  if (elsewhere !== null) return elsewhere[1] ?? elsewhere[2];
  const tagged = ANSWER_TAG.exec(line)?.[2];
  if (tagged !== undefined) return tagged;
  const given = ANSWER_CALL.exec(line)
    ?.slice(1)
    .find((argument) => argument !== undefined);
  return given === undefined ? undefined : unquoted(given.trim());
}

function unquoted(text: string): string {
  return (
    /^(?:"(.*)"|'(.*)'|“(.*)”)$/
      .exec(text)
      ?.slice(1)
      .find((inner) => inner !== undefined) ?? text
  );
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
