import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forTerminal, onOneLine } from './terminal-text.ts';

describe('text for a terminal', () => {
  test('escape sequences, titles and carriage returns are written out', () => {
    expect(forTerminal('\u001b[31mred\u001b]0;title\u0007 a\rb \u009b2J')).toBe(
      '\\x1b[31mred\\x1b]0;title\\x07 a\\x0db \\x9b2J',
    );
  });

  test('characters that turn the direction of text are written out', () => {
    expect(forTerminal('a\u202eb\u2066c')).toBe('a\\u202eb\\u2066c');
  });

  test('line feeds, tabs and letters of any script stay; CR LF becomes LF', () => {
    expect(forTerminal('a\tb\r\nÄ 漢 🙂')).toBe('a\tb\nÄ 漢 🙂');
  });

  test('nothing of any text can steer a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        expect(forTerminal(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });

  test('one line is one line, and no longer than asked for', () => {
    expect(onOneLine('  a\n b\tc ', 10)).toBe('a b c');
    expect(onOneLine('🙂🙂🙂🙂', 3)).toBe('🙂🙂…');
  });
});
