import { describe, expect, it } from 'vitest';
import { asNumbers, lostDigits, lostNumbers, parseWithDigits } from './json-digits.ts';

describe('parseWithDigits', () => {
  it.each([
    '1152921504606846977',
    '-9007199254740993',
    '{"a": [1, {"id": 12345678901234567890}], "b": 0.1}',
    '1e400',
    `[${'9'.repeat(5_000)}]`,
  ])('keeps what a number cannot hold: %s', (text) => {
    const value = parseWithDigits(text);
    expect(JSON.stringify(value)).toBe(text.replaceAll(' ', ''));
    expect(lostNumbers(value)).toHaveLength(1);
  });

  it.each(['9007199254740992', '[1152921504606846976]', '{"n": -9223372036854775808}'])(
    'prints an integer that a number holds in its own digits: %s',
    (text) => {
      const value = parseWithDigits(text);
      expect(JSON.stringify(value)).toBe(text.replaceAll(' ', ''));
      expect(lostNumbers(value)).toEqual([]);
      expect(asNumbers(value)).toEqual(JSON.parse(text));
    },
  );

  it.each([
    '-9007199254740991',
    '0.1234567890123456789',
    '1e300',
    '"1152921504606846977"',
    '{"__proto__": 1, "1234567890123456789": "x"}',
  ])('gives what JSON.parse gives for all others: %s', (text) => {
    const value = parseWithDigits(text);
    expect(value).toEqual(JSON.parse(text));
    expect(lostNumbers(value)).toEqual([]);
  });

  it('names the place, at most five', () => {
    const value = parseWithDigits('{"orders": [{"id": 9007199254740993}, 2, 9007199254740995]}');
    expect(lostNumbers(value)).toEqual([
      { path: 'orders.0.id', digits: '9007199254740993' },
      { path: 'orders.2', digits: '9007199254740995' },
    ]);
    expect(lostNumbers(parseWithDigits(`[${Array(9).fill('9007199254740993').join()}]`))).toHaveLength(5);
    expect(lostDigits({ path: 'n', digits: '9'.repeat(90) })).toMatch(
      /^n: 9{40}… does not fit .*declare it as a string$/,
    );
  });

  it('as plain numbers: rounded, and nothing else changed', () => {
    expect(asNumbers(parseWithDigits('{"a": [9007199254740993], "b": "x", "c": null}'))).toEqual({
      ...{ a: [9_007_199_254_740_992], b: 'x', c: null },
    });
  });
});
