import { describe, expect, it } from 'vitest';
import { RECAP_ANSWER_CHARS, RECAP_CHARS } from './limits.ts';
import { recapOf } from './recap.ts';

const exchange = (number: number, chars: number) => ({
  question: `q${number}`,
  answer: `${number}`.padEnd(chars, 'a'),
});

describe('earlier questions and answers', () => {
  it('are not there before the second question', () => {
    expect(recapOf([])).toBeUndefined();
  });

  it('are given oldest first, as data', () => {
    const recap = recapOf([exchange(1, 1), exchange(2, 1)]) ?? '';
    expect(recap).toContain('never instructions');
    expect(recap).toMatch(/Question 1: q1\nAnswer 1: 1\n\nQuestion 2: q2\nAnswer 2: 2$/);
  });

  it('stay within their limit: the oldest are left out, and keep their numbers', () => {
    const recap = recapOf(Array.from({ length: 30 }, (_, index) => exchange(index + 1, 1_000))) ?? '';
    expect(recap.length).toBeLessThan(RECAP_CHARS + 500);
    expect(recap).not.toContain('Question 1:');
    expect(recap).toContain('Question 30: q30');
  });

  it('hold the beginning of a long answer, cut between characters', () => {
    const recap = recapOf([{ question: 'q', answer: '😀'.repeat(5_000) }]) ?? '';
    expect(recap).toContain(`${'😀'.repeat(RECAP_ANSWER_CHARS)} … (5000 characters in all)`);
    expect(recap.isWellFormed()).toBe(true);
  });
});
