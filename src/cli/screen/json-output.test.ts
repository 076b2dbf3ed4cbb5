import { expect, test } from 'vitest';
import { jsonFor, writeJson } from './json-output.ts';
import { streamTo } from './testing.ts';

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
