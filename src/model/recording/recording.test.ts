import { expect, test } from 'vitest';
import type { ChatMessage } from '../port.ts';
import { hashRequest } from './recording.ts';

const asked = (feedback: string): readonly ChatMessage[] => [
  { role: 'system', content: 'You write code.' },
  { role: 'user', content: 'How many took over 5 s?' },
  { role: 'assistant', content: 'print(1)' },
  { role: 'user', content: feedback },
];

test('how long a cell took and how much time is left does not distinguish requests', () => {
  const one = asked('[t1.0] cell: ok, 0.02 s\n7\n\nTurn 2 of 30 is next. Left: 990 sub-calls, 1790 s.');
  const other = asked('[t1.0] cell: ok, 11.90 s\n7\n\nTurn 2 of 30 is next. Left: 990 sub-calls, 1701 s.');
  expect(hashRequest(other)).toBe(hashRequest(one));
});

test('what a cell printed does, and so does every word of a query', () => {
  expect(hashRequest(asked('7'))).not.toBe(hashRequest(asked('8')));
  const query = (seconds: number): readonly ChatMessage[] => [{ role: 'user', content: `It took ${seconds} s.` }];
  expect(hashRequest(query(5))).not.toBe(hashRequest(query(6)));
});
