import { describe, expect, it } from 'vitest';
import { TookTooLong, withinTime } from './within-time.ts';

/** Would take longer than the universe has been there. */
const forEver = (): boolean => /^(a+)+$/.test(`${'a'.repeat(90)}!`);

describe('work within a time', () => {
  it('gives what it comes to, errors included', () => {
    const failure = new RangeError('wrong');
    expect(withinTime(1_000, () => ({ n: 1 }))).toEqual({ n: 1 });
    expect(() =>
      withinTime(1_000, () => {
        throw failure;
      }),
    ).toThrow(failure);
    expect(() =>
      withinTime(1_000, () => {
        throw null;
      }),
    ).toThrow();
  });

  it('is given up, also in the middle of a regular expression', () => {
    expect(() => withinTime(50, forEver)).toThrow(TookTooLong);
    expect(withinTime(1_000, () => 'next')).toBe('next');
  });

  it('may lie in each other', () => {
    expect(
      withinTime(5_000, () => {
        expect(() => withinTime(50, forEver)).toThrow(TookTooLong);
        return withinTime(1_000, () => 'inner');
      }),
    ).toBe('inner');
  });
});
