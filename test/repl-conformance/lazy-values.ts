import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileValue, JsonValue, ProjectionRead } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

const PAGE = 1024 * 1024;
const TEXT = `${'abc😀'.repeat(300_000)}end`;
const POINTS = [...TEXT];
const LIST: readonly JsonValue[] = Array.from({ length: 450 }, (_, index) => ({ id: index }));
const HUGE = 20_000_000_000;

const STEP = 1_000_000;

/** A text of 20 billion characters: dots, and a digit at every millionth place. */
function hugeText(start: number, stop: number): string {
  const pieces: string[] = [];
  for (let at = start; at < stop; ) {
    const digit = Math.ceil(at / STEP) * STEP;
    pieces.push('.'.repeat(Math.min(digit, stop) - at));
    if (digit < stop) pieces.push(String((digit / STEP) % 10));
    at = digit + 1;
  }
  return pieces.join('');
}

function answer(read: ProjectionRead): JsonValue {
  if (read.op === 'keys') return ['x', 'y'];
  if (read.op === 'get') return read.key === 'x' ? 1 : [2];
  if (read.op === 'values') return read.keys.map((key) => (key === 'x' ? 1 : [2]));
  if (read.op !== 'slice') return null;
  const { id, start, stop } = read;
  if (id === 'text') return POINTS.slice(start, stop).join('');
  if (id === 'list') return LIST.slice(start, stop);
  if (id === 'huge-text') return hugeText(start, Math.min(stop, HUGE));
  return Array.from({ length: Math.min(stop, HUGE) - start }, (_, offset) => start + offset);
}

/** Projections, history and documents compare, concatenate and count as the plain values they stand for. */
export function describeLazyValues(bench: () => Bench): void {
  /** `text`, `items`, `entries`: projections; `s`, `l`, `d`: the plain values. */
  async function bind(): Promise<void> {
    bench().host.onProjection = answer;
    bench().host.onHistory = (read) =>
      read.op === 'length' ? 2 : read.op === 'items' ? [{ id: 'q1' }, { id: 't1' }].slice(read.start, read.stop) : null;
    await bench().repl.bind({
      values: {
        text: { kind: 'projection', id: 'text', shape: 'text', size: POINTS.length },
        items: { kind: 'projection', id: 'list', shape: 'list', size: LIST.length },
        entries: { kind: 'projection', id: 'map', shape: 'mapping' },
      },
    });
    await bench().run('s, l, d = "abc😀" * 300_000 + "end", [{"id": i} for i in range(450)], {"x": 1, "y": [2]}');
  }
  const wrong = async (expressions: readonly string[]): Promise<string[]> => {
    await bind();
    const found = await bench().value(`[e for e in ${JSON.stringify(expressions)} if eval(e) is not True]`);
    return JSON.parse((found ?? '').replaceAll("'", '"')) as string[];
  };

  describe('lazy values', () => {
    test('equal the plain values they stand for, from both sides', async () => {
      const equal = ['text == s', 's == text', 'items == l', 'l == items', 'entries == d', 'd == entries'];
      const more = [
        'history == [{"id": "q1"}, {"id": "t1"}]',
        '[{"id": "q1"}, {"id": "t1"}] == history',
        'text == text',
      ];
      expect(await wrong([...equal, ...more, 'items == items', 'text[:] == text', 'items[1:] == l[1:]'])).toEqual([]);
    });

    test('differ from others, wherever the difference is', async () => {
      const texts = ['text != s[:-1]', 'text != s + "x"', 'text != "x" + s[1:]', 'text != s[:-1] + "x"', 'text != 5'];
      const lists = [
        'items != l[:-1]',
        'items != l + [1]',
        'items != [0] + l[1:]',
        'items != tuple(l)',
        'items != None',
      ];
      const others = ['entries != {"x": 1}', 'history != []', 'text != list(s)', 'not text == ""', 'not items == []'];
      const middle = [`text != s[:${PAGE}] + "x" + s[${PAGE + 1}:]`, 'items != l[:200] + [9] + l[201:]'];
      expect(await wrong([...texts, ...lists, ...others, ...middle])).toEqual([]);
    });

    test('are ordered as text and lists are', async () => {
      const texts = [
        'text < s + "x"',
        's[:-1] < text',
        'text <= s',
        'text >= s',
        'not text < s',
        'text > "abc"',
        '"b" > text',
      ];
      await bind();
      await bench().repl.bind({ values: { numbers: { kind: 'projection', id: 'huge-list', shape: 'list', size: 5 } } });
      const lists = [
        'numbers < [0, 1, 3]',
        'numbers > [0, 1]',
        '[0, 1, 2, 3, 4] <= numbers',
        'numbers < [0, 1, 2, 3, 4, 0]',
      ];
      expect(await wrong([...texts, ...lists])).toEqual([]);
      for (const code of ['text < 5', 'items < 5', 'items < "a"', 'entries < {}']) {
        expect((await bench().failure(code)).type).toBe('TypeError');
      }
    });

    test('concatenate and repeat to plain values', async () => {
      const texts = [
        'text + "x" == s + "x"',
        '"x" + text == "x" + s',
        'type(text + text) is str',
        'text[:3] * 2 == "abcabc"',
      ];
      const lists = [
        'items + [1] == l + [1]',
        '[1] + items == [1] + l',
        'len(items + items) == 900',
        'items * 2 == l * 2',
      ];
      const others = ['entries | {"z": 3} == {**d, "z": 3}', '{"x": 0} | entries == d', 'len(history + [1]) == 3'];
      expect(await wrong([...texts, ...lists, ...others])).toEqual([]);
      for (const code of ['text + 5', 'items + "a"', '5 + items']) {
        expect((await bench().failure(code)).type).toBe('TypeError');
      }
    });

    test('hash as what they stand for: text as text, lists and mappings not at all', async () => {
      expect(await wrong(['hash(text) == hash(s)', '{s: 1}[text] == 1', 'text in {s}'])).toEqual([]);
      for (const code of ['hash(items)', '{entries: 1}', '{history}']) {
        expect((await bench().failure(code)).type).toBe('TypeError');
      }
    });

    test('are written by json.dumps, alone and inside of others', async () => {
      const dumped = ['json.dumps(items) == json.dumps(l)', 'json.dumps({"a": [text]}) == json.dumps({"a": [s]})'];
      const others = [
        'json.dumps(entries) == json.dumps(d)',
        'json.dumps(history) == \'[{"id": "q1"}, {"id": "t1"}]\'',
      ];
      await bench().run('import json');
      expect(await wrong([...dumped, ...others, 'json.loads(json.dumps(items, indent=1)) == l'])).toEqual([]);
      expect((await bench().failure('json.dumps({1, 2})')).message).toContain('set is not JSON serializable');
    });

    test('have the methods of str, and say what to do where that would read too much', async () => {
      const cheap = [
        'text.startswith("abc😀")',
        'text.endswith(("x", "end"))',
        'not text.startswith("b")',
        'text.startswith("b", 1)',
      ];
      expect(await wrong([...cheap, '"".join(reversed(text)) == s[::-1]', 'text.size == len(text)'])).toEqual([]);
      const whole = ['text.split("c") == s.split("c")', 'text.upper() == s.upper()', 'text.splitlines() == [s]'];
      expect(await wrong(whole)).toEqual([]);
      await bench().repl.bind({ values: { book: { kind: 'projection', id: 'huge-text', shape: 'text', size: HUGE } } });
      for (const method of ['split', 'lower', 'replace']) {
        const { type, message } = await bench().failure(`book.${method}`);
        expect([type, message]).toEqual([
          'AttributeError',
          expect.stringContaining(`no ${method}(): use it on a slice`),
        ]);
      }
      expect(await bench().failure('book.splitlines()')).toMatchObject({
        type: 'OverflowError',
        message: expect.stringContaining('for line in text.open()'),
      });
      expect((await bench().failure('text.nonsense')).message).toBe("a projected text has no attribute 'nonsense'");
    });
  });

  describe('projections above 2³¹−1', () => {
    test('of text are sliced, peeked, searched and found in', async () => {
      bench().host.onProjection = answer;
      await bench().repl.bind({ values: { book: { kind: 'projection', id: 'huge-text', shape: 'text', size: HUGE } } });
      const value = (code: string) => bench().value(code);
      expect(
        await value('book[12_345_000_000:12_345_000_003], book[-1], book[HUGE - 1]'.replace('HUGE', String(HUGE))),
      ).toBe("('5..', '.', '.')");
      expect(await value('book.peek(19_999_000_000, 19_999_000_002)')).toBe("'9.'");
      expect(await value('book.find("7"), book.find("1", 15_000_500_000), book.size')).toBe(
        `(7000000, 15001000000, ${HUGE})`,
      );
      expect(await value('[h["start"] for h in book.search("[34]", 2)], "9." in book, bool(book)')).toBe(
        '([3000000, 4000000], True, True)',
      );
      expect(await value('book == "short", book != "x", repr(book)[:41]')).toBe(
        `(False, True, '<projected text of ${HUGE} characters')`,
      );
      expect((await bench().failure(`book[${HUGE}]`)).type).toBe('IndexError');
    });

    test('of lists are indexed, sliced and searched', async () => {
      bench().host.onProjection = answer;
      await bench().repl.bind({ values: { rows: { kind: 'projection', id: 'huge-list', shape: 'list', size: HUGE } } });
      const value = (code: string) => bench().value(code);
      expect(await value('rows[12_345_678_901], rows[-1], rows[5_000_000_000:5_000_000_003]')).toBe(
        `(12345678901, ${HUGE - 1}, [5000000000, 5000000001, 5000000002])`,
      );
      expect(await value('rows.index(300), next(reversed(rows)), rows.size, next(iter(rows)), 201 in rows')).toBe(
        `(300, ${HUGE - 1}, ${HUGE}, 0, True)`,
      );
      expect(await value('rows[10_000_000_000:9_999_999_990:-5]')).toBe('[10000000000, 9999999995]');
      expect(await value('[h["index"] for h in rows.search("7", 2)]')).toBe('[7, 17]');
    });

    test('have a length, or an error that says what to use', async () => {
      bench().host.onProjection = answer;
      await bench().repl.bind({ values: { book: { kind: 'projection', id: 'huge-text', shape: 'text', size: HUGE } } });
      if ((await bench().value('import sys\nsys.maxsize > 2**31')) === 'True') {
        expect(await bench().value('len(book)')).toBe(String(HUGE));
        return;
      }
      for (const code of [
        'len(book)',
        'str(book)',
        'book + "x"',
        'book[:]',
        'book[::2]',
        'book.chunk()',
        'FINAL(book)',
      ]) {
        const { type, message } = await bench().failure(code);
        expect([code, type, message]).toEqual([
          code,
          'OverflowError',
          expect.stringMatching(/\.size|smaller slices, peek/),
        ]);
      }
    });
  });

  describe('documents and files', () => {
    test('documents have their size and lines, and compare', async () => {
      const content = (text: string) => ({ kind: 'text' as const, text });
      const documents = [
        { path: 'a/b.txt', content: content('one\ntwo 😀\n\nthree') },
        { path: 'c.txt', content: content('') },
      ];
      await bench().repl.bind({ values: { docs: { kind: 'documents', documents } } });
      expect(await bench().value('docs[0].size, docs[0].lines, docs[1].size, docs[1].lines, docs[0].name')).toBe(
        "(16, ['one', 'two 😀', '', 'three'], 0, [], 'b.txt')",
      );
      expect(await bench().value('sum(d.size for d in docs), "two" in docs[0], docs[0] == docs["a/b.txt"]')).toBe(
        '(16, True, True)',
      );
      expect(await bench().value('docs[0] == docs[1], len({docs[0], docs[1], docs[0]}), docs == docs[:]')).toBe(
        '(False, 2, True)',
      );
    });

    test.for([
      ['JSON that is broken', '{"a": [1, 2', 'json'],
      ['no JSON at all', '', 'json'],
      ['two values', '1 2', 'json'],
      ['JSON that is nested too deep', '['.repeat(200_000), 'json'],
    ] as const)('a file of %s is named by its path', async ([, data, as]) => {
      const folder = await mkdtemp(join(tmpdir(), 'fathom-lazy-'));
      try {
        const path = join(folder, 'n.json');
        await writeFile(path, data);
        const file: FileValue = { kind: 'file', path, bytes: Buffer.byteLength(data), encoding: 'utf-8', skip: 0, as };
        const bound = bench().repl.bind({ values: { spare: { kind: 'none' }, context_0: file } });
        await expect(bound).rejects.toMatchObject({
          code: 'context-invalid',
          message: expect.stringContaining(`The file ${path}, read as JSON, cannot be read: `),
        });
        await writeFile(path, '[1]');
        await bench().repl.bind({ values: { context_0: { ...file, bytes: 3 } } });
        expect(await bench().value('context_0')).toBe('[1]');
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    test('a value that is not a file is named by its variable', async () => {
      const bound = bench().repl.bind({ values: { numbers: { kind: 'json', json: '[1,' } } });
      await expect(bound).rejects.toMatchObject({
        message: expect.stringMatching(/^The value of numbers cannot be read: /),
      });
    });
  });
}
