import { describe, expect, it } from 'vitest';
import { findExact, findLoose, loose } from './find-quote.ts';

const TEXT =
  '😀 The butler, a well-\nknown man, had left at 10:45. It was  Tuesday. “He knew,” she said: −5 °C. The butler lied.';
const cut = (start: number, end: number): string => [...TEXT].slice(start, end).join('');

describe('a quote word for word', () => {
  it('is found at its place, in code points', () => {
    const start = [...TEXT].join('').indexOf('The') - 1;
    expect(findExact(TEXT, 'The butler', { start })).toEqual({ start, end: start + 10 });
  });

  it('is found at the nearest occurrence when its place is wrong', () => {
    const last = findExact(TEXT, 'The butler', { start: 90 });
    expect(last && cut(last.start, last.end + 5)).toBe('The butler lied');
    expect(findExact(TEXT, 'The butler', {})).toEqual({ start: 2, end: 12 });
  });

  it('is evidence only at its place when it is short', () => {
    expect(findExact(TEXT, '10:45', {})).toBeUndefined();
    const start = [...TEXT].length - [...TEXT.slice(TEXT.indexOf('10:45'))].length;
    expect(findExact(TEXT, '10:45', { start })).toEqual({ start, end: start + 5 });
  });

  it.each(['', '   ', 'The Butler', 'had left at 10:46'])('%j is not found', (quote) => {
    expect(findExact(TEXT, quote, { start: 2 })).toBeUndefined();
  });
});

describe('a quote with another form', () => {
  const within = loose(TEXT);

  it.each([
    ['the BUTLER, a', 'The butler, a'],
    ['a well-known man', 'a well-\nknown man'],
    ['a wellknown man', 'a well-\nknown man'],
    ['It was\nTuesday.', 'It was  Tuesday.'],
    ['"He knew," she', '“He knew,” she'],
    ['said: -5 °C', 'said: −5 °C'],
  ])('%j is %j', (quote, passage) => {
    const place = findLoose(TEXT, within, quote);
    expect(place && cut(place.start, place.end)).toBe(passage);
  });

  it.each(['The butler had left', 'said: 5 °C', 'it was Tues day', 'left at 1045', 'a b', 'The butler lied to us'])(
    '%j is not found',
    (quote) => {
      expect(findLoose(TEXT, within, quote)).toBeUndefined();
    },
  );
});
