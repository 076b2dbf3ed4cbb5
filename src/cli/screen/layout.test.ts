import { describe, expect, it, test } from 'vitest';
import { table, wrapped } from './layout.ts';

describe('a table', () => {
  it('gives each column its width, and the last one what is left', () => {
    const rows = [
      ['A', 'LONG', 'REST'],
      ['aaa', 'b', 'a text that is cut off'],
    ];
    expect(table(rows, 24)).toEqual(['A    LONG  REST', 'aaa  b     a text that …']);
  });

  it('leaves the last column out where there is no room for it', () => {
    expect(table([['aaaaaaaaaa', 'a text']], 14)).toEqual(['aaaaaaaaaa']);
  });

  it('cannot be broken by what others wrote', () => {
    expect(table([['\u001b[2J\n', 'x']], 80)).toEqual(['\\x1b[2J  x']);
  });
});

const terminal = (columns: number) => ({ isTTY: true, columns });

test('prose breaks between words, and later lines are indented', () => {
  expect(wrapped('  ✓ node  a word or two', terminal(17), 10)).toBe('  ✓ node  a word\n          or two');
  expect(wrapped('one two three', terminal(7))).toBe('one two\nthree');
});

test('what has no blank to break at stays whole', () => {
  expect(wrapped('a 0123456789 b', terminal(6))).toBe('a\n0123456789\nb');
});

test('a pipe gets one line', () => {
  expect(wrapped('one two three', { columns: 7 })).toBe('one two three');
});

test('a terminal that does not know its columns gets lines of the usual width', () => {
  expect(wrapped('one two three', terminal(0))).toBe('one two three');
});
