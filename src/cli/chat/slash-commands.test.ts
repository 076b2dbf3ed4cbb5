import { expect, test } from 'vitest';
import { completions, readLine } from './slash-commands.ts';

test.each([
  ['', { kind: 'empty' }],
  ['  \t', { kind: 'empty' }],
  ['/etc/passwd has which users?', { kind: 'question', text: '/etc/passwd has which users?' }],
  ['/ is what?', { kind: 'question', text: '/ is what?' }],
  ['What does /run do?', { kind: 'question', text: 'What does /run do?' }],
  [' /RUN  x = 1 ', { kind: 'command', name: 'run', argument: 'x = 1' }],
  ['/vars', { kind: 'command', name: 'vars', argument: '' }],
])('%j is read as what it is', (line, read) => {
  expect(readLine(line)).toEqual(read);
});

test('Tab completes commands, and nothing else', () => {
  expect(completions('/r')).toEqual(['/run', '/rollback']);
  expect(completions('/snapshot x')).toEqual([]);
  expect(completions('r')).toEqual([]);
});
