import { describe, expect, it } from 'vitest';
import { pythonLiteralAsJson } from './python-literal.ts';

describe('a Python literal as JSON', () => {
  it.each([
    ["{'n': 60}", { n: 60 }],
    ["{'a': True, 'b': None, 'c': [1, 2.5, -3,], 'd': (4,)}", { a: true, b: null, c: [1, 2.5, -3], d: [4] }],
    [`['it\\'s', "two", r'\\d', 'a' 'b']`, ["it's", 'two', '\\d', 'ab']],
    ["{\n  'n': 1_000,  # a thousand\n}", { n: 1000 }],
    ['[+1, .5, 5., 1e3]', [1, 0.5, 5, 1000]],
    ["('x', 'y')", ['x', 'y']],
    ["{'emoji': '\\ud83c\\udf78'}", { emoji: '🍸' }],
    ['{"n": 1}', { n: 1 }],
  ])('%s', (text, value) => {
    expect(JSON.parse(pythonLiteralAsJson(text) ?? '')).toEqual(value);
  });

  it.each(['sixty', "{'n': count}", "{'n': 1 + 1}", "b'x'", "f'{x}'", "{'n': nan}", "{'open: 1}", 'print(1)'])(
    'is not %s',
    (text) => {
      expect(pythonLiteralAsJson(text)).toBeUndefined();
    },
  );

  it('keeps the digits of long integers', () => {
    expect(pythonLiteralAsJson("{'id': 1152921504606846977}")).toBe('{"id":1152921504606846977}');
  });

  it('is read in linear time', () => {
    const text = `[${'"'.repeat(100_000)}`;
    const start = process.cpuUsage();
    pythonLiteralAsJson(text);
    pythonLiteralAsJson(`${'('.repeat(200_000)}`);
    pythonLiteralAsJson(`${'1'.repeat(200_000)}x`);
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
  });
});
