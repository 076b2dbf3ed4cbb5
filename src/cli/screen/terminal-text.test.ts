import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forTerminal, jsonFor, onOneLine, writeJson } from './terminal-text.ts';
import { streamTo } from './testing.ts';

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

const C1 = '\u009b31m';
const SPOOF = {
  text: `a${C1}\u0085\u007f\u202egnp\u2066\u2069\u200e\u200f\u061cb\u001b[0m`,
  'key\u009d': ['\u0090', 'ü😀\n'],
};
/** Characters of the value that act on a terminal. */
const ACTING = [0x1b, 0x7f, 0x85, 0x90, 0x9b, 0x9d, 0x61c, 0x200e, 0x200f, 0x202e, 0x2066, 0x2069].map((code) =>
  String.fromCharCode(code),
);
const acting = (text: string): readonly string[] => ACTING.filter((character) => text.includes(character));

test('JSON on a terminal holds nothing that acts on it, and is the same value', () => {
  const written: string[] = [];
  writeJson(streamTo(written, { isTTY: true }), SPOOF);
  expect(acting(written.join(''))).toEqual([]);
  expect(written.join('')).toContain('ü😀');
  expect(JSON.parse(written.join(''))).toEqual(SPOOF);
  expect(acting(jsonFor({ isTTY: true }, SPOOF, 2))).toEqual([]);
  expect(JSON.parse(jsonFor({ isTTY: true }, SPOOF, 2))).toEqual(SPOOF);
});

test('JSON in a file or a pipe is as JSON.stringify has it', () => {
  const written: string[] = [];
  writeJson(streamTo(written), SPOOF);
  expect(written.join('')).toBe(`${JSON.stringify(SPOOF)}\n`);
  // The control: it would act on a terminal.
  expect(acting(written.join(''))).toHaveLength(ACTING.length - 1);
});
