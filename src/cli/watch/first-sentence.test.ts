import { expect, test } from 'vitest';
import { firstSentence } from './first-sentence.ts';

test.each([
  ['prose before code', 'I count **lines**. Then more.\n```repl\nprint(1)\n```', 'I count lines.'],
  ['a colon ends it', '### First look:\n```repl\nprint(1)\n```', 'First look'],
  ['a comment of the code', '```repl\n# count the rows\nprint(1)\n```', 'count the rows'],
  ['a line of the code', '```repl\nprint(1)\n```', 'print(1)'],
  ['an answer', 'FINAL(42)', 'gives its answer'],
  ['reasoning with tags', '<think>Hm. Yes.</think>\nI look.', 'I look.'],
  ['reasoning that only ends', 'Hm. Yes.\n</think>\nI look.', 'I look.'],
  [
    'reasoning in a channel',
    '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>I look.',
    'I look.',
  ],
  ['nothing', '', ''],
])('%s', (_, reply, sentence) => {
  expect(firstSentence(reply)).toBe(sentence);
});
