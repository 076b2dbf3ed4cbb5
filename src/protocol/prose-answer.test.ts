/** Answers that models give in other forms than `FINAL`. */
import { describe, expect, it } from 'vitest';
import { block, cell, read } from './habits.testing.ts';
import { isPlaceholder, parseReply, proseAnswerOf } from './index.ts';
import { answerInProse } from './prose-answer.ts';

describe('answers in other forms', () => {
  it.each([
    ['**Final Answer:** 42', '42'],
    ['FINAL ANSWER: 42', '42'],
    ['Answer: 42', '42'],
    ['The final answer is: **42**', '42'],
    ['So it is \\boxed{42}.', '42'],
    ['FINAL: 42', '42'],
    ['Final answer = say "hi"', 'say "hi"'],
    ['final_answer("42")', '42'],
    ['Final(42)', '42'],
    ['FINAL[42]', '42'],
    ['**FINAL_ANSWER(“42”)**.', '42'],
    ['FINAL（42）', '42'],
    ['submit({"n": 42})', '{"n": 42}'],
    ['<answer>42</answer>', '42'],
    ['<final_answer> 42 </final_answer>', '42'],
    ['最终答案：42', '42'],
    ['La réponse finale : 42', '42'],
    ['Antwort: 42', '42'],
    ['Ответ: 42', '42'],
  ])('%s: the rejection holds the line to send', (reply, answer) => {
    const { commands, rejected } = parseReply(reply);
    expect(commands).toEqual([]);
    expect(rejected.map(({ code }) => code)).toEqual(['answer-in-prose']);
    expect(rejected[0]?.send).toBe(`FINAL(${JSON.stringify(answer)})`);
    expect(proseAnswerOf(`Some words.\n${reply}`)).toBe(answer);
  });

  it.each([
    'I will answer later.',
    'The final section is long.',
    'Results are in the table.',
    'I would finish (later).',
    'see <answer>',
    'answer(s)',
  ])('%s', (reply) => {
    expect(read(reply)).toEqual([]);
  });

  it('only where the reply has no command', () => {
    expect(read(`Answer: 42\n${block}`)).toEqual([cell]);
  });

  it('a value in FINAL_VAR: the rejection holds the line to send', () => {
    expect(parseReply('FINAL_VAR(45654bfb-10c2)').rejected[0]?.send).toBe('FINAL("45654bfb-10c2")');
  });

  it.each([
    ['a sentence', (answer: string) => `Final Answer: ${answer}`],
    [
      'a call of an answering tool',
      (answer: string) => JSON.stringify({ name: 'final_answer', arguments: { answer } }),
    ],
    ['a value in FINAL_VAR', (answer: string) => `FINAL_VAR(${answer})`],
  ])('an answer in %s is offered whole, or not at all where it is too long to repeat', (_, reply) => {
    const answer = `-${'a'.repeat(1_999)}`;
    expect(parseReply(reply(answer)).rejected[0]?.send).toBe(`FINAL(${JSON.stringify(answer)})`);
    const [rejection] = parseReply(reply(`${answer}b`)).rejected;
    expect(rejection?.send).toBeUndefined();
    expect(rejection?.message).toContain('send the whole answer again as FINAL("…")');
  });

  it('a typed answer in nothing but a JSON fence', () => {
    const fence = '```json\n{"n": 2}\n```';
    expect(read(fence, { jsonAnswer: true })).toEqual(['final {"n": 2}']);
    expect(read('```\n{"n": 2}\n```', { jsonAnswer: true })).toEqual(['final {"n": 2}']);
    expect(read(`<think>hm</think>\n${fence}\n`, { jsonAnswer: true })).toEqual(['final {"n": 2}']);
    expect(read(fence)).toEqual([]);
    expect(read(`Here it is:\n${fence}`, { jsonAnswer: true })).toEqual([]);
    expect(read(`${fence}\n${fence}`, { jsonAnswer: true })).toEqual([]);
    expect(read('```json\n{"n": \n```', { jsonAnswer: true })).toEqual([]);
    expect(read('{"n": 2}', { jsonAnswer: true })).toEqual(['answer-in-prose']);
  });
});

describe('a form that was copied instead of filled in', () => {
  it.each([
    'your answer',
    'Your answer here',
    '"your answer"',
    '<your answer>',
    '[Your final answer here]',
    'the answer',
    'the final answer',
    'answer here',
    '<answer>',
    '{final_answer}',
    'insert the answer here',
    'put your answer here.',
    'your text',
    '…',
    '...',
    '____',
  ])('is not an answer: %s', (text) => {
    expect(isPlaceholder(text)).toBe(true);
    expect(answerInProse(`Final answer: ${text}`)).toBeUndefined();
  });

  it.each([
    '42',
    'answer',
    'result',
    'text',
    'value',
    'the value',
    'your',
    'The answer is 42.',
    'the answer to everything',
    'Your answer was wrong in three places.',
    'There is no answer',
    '-',
    '.',
    '[]',
    '{}',
    '<b>',
    '[answer, question]',
  ])('is not seen in %s', (text) => {
    expect(isPlaceholder(text)).toBe(false);
  });
});
