import { expect, test } from 'vitest';
import { compact, counted, duration, money, stopwatch } from './figures.ts';

test('counts are short', () => {
  expect([0, 999, 1_000, 12_345, 999_499, 999_500, 4_025_029].map(compact)).toEqual([
    '0',
    '999',
    '1.00k',
    '12.3k',
    '999k',
    '1.00M',
    '4.03M',
  ]);
});

test('money is never zero when something was paid, and unknown is said', () => {
  expect([0, 0.00001, 0.0042, 0.37, 12.5, null].map(money)).toEqual([
    '$0',
    'under $0.0001',
    '$0.0042',
    '$0.37',
    '$12.50',
    'cost unknown',
  ]);
});

test('durations and running times', () => {
  expect([12, 999, 4_200, 59_960, 185_000].map(duration)).toEqual([
    '12 ms',
    '999 ms',
    '4.2 s',
    '1 min 00 s',
    '3 min 05 s',
  ]);
  expect([0, 4_900, 751_000].map(stopwatch)).toEqual(['0:00', '0:04', '12:31']);
});

test('nouns agree with their numbers', () => {
  expect([counted(1, 'turn'), counted(2, 'turn')]).toEqual(['1 turn', '2 turns']);
});
