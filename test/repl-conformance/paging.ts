import { describe, expect, test } from 'vitest';
import type { JsonValue, ProjectionRead } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

const LINES = Array.from({ length: 9_000 }, (_, index) => `line ${index} äß😀 end`);
const TEXT = `${LINES.join('\n')}\r\nlast\u2028part`;
const POINTS = [...TEXT];
const ROWS: readonly JsonValue[] = Array.from({ length: 5_000 }, (_, id) => ({ id, name: `row ${id}` }));
const KEYS = Array.from({ length: 300 }, (_, index) => `key ${index}`);

/** Expressions in which `t` and `s`, `r` and `l`, `m` and `d` have to give the same. */
const TEXT_EXPRESSIONS = [
  'X[100]',
  'X[-1]',
  'X[-30:]',
  'X[50:20:-3]',
  'X[::1000]',
  'X[::-777]',
  'X[5:5]',
  'len(X)',
  'list(X)[:40]',
  'list(reversed(X))[:40]',
  '"line 8999" in X, "nowhere" in X, "" in X',
  'X.find("line 7000"), X.find("zz"), X.find(""), X.find("", 10**9), X.find("a", 10, 5)',
  'X.rfind("line 1"), X.rfind("zz"), X.rfind(""), X.rfind("line 1", 0, 5000), X.rfind("end", -40, -10)',
  'X.index("😀"), X.rindex("😀")',
  'X.count("line"), X.count("e"), X.count(""), X.count("line", 1000, 2000)',
  'X.splitlines() == X.splitlines(False), X.splitlines()[-3:], X.splitlines(True)[-3:]',
  'X.startswith("line 0"), X.endswith(("x", "part"))',
  'X.upper()[:30], X.split()[:5], X.partition(" ")[0], X.encode()[:10], X.strip()[:4], X.isdigit()',
  '[w for w in X.split("\\n") if "77" in w][:3]',
  'f"{X}" == str(X), X == str(X), X < "zzz", hash(X) == hash(str(X))',
  '"".join(X[i] for i in range(2000)) == X[:2000]',
  '"".join(X[i] for i in range(3000, 1000, -1)) == X[3000:1000:-1]',
];
const LIST_EXPRESSIONS = [
  'X[0], X[-1], X[4999]',
  'X[10:13], X[-2:], X[::1500], X[20:10:-4], X[3:3]',
  'len(X), bool(X)',
  '[row["id"] for row in X] == list(range(5000))',
  '[row["id"] for row in reversed(X)][:3]',
  '{"id": 7, "name": "row 7"} in X, {"id": -1} in X',
  'X.index({"id": 4321, "name": "row 4321"}), X.count({"id": 3, "name": "row 3"})',
  'X == list(X), X != list(X)[:-1]',
  'X[:2] + [1], [1] + list(X)[:1]',
  'sum(X[i]["id"] for i in range(5000))',
  'sum(X[i]["id"] for i in range(4999, -1, -1))',
];
const MAPPING_EXPRESSIONS = [
  'len(X), list(X)[:3], X["key 7"], X.get("nothing", 5)',
  'list(X.items())[:2], list(X.values())[-1]',
  '"key 1" in X, "nothing" in X, ("key 1", {"of": "key 1"}) in X.items()',
  'dict(X) == X, X == dict(X), {"of": "key 9"} in X.values()',
];

/** Values of the host are read in pages, ahead of need and within bounds, and behave as the plain values. */
export function describePaging(bench: () => Bench): void {
  function serve(reads: ProjectionRead[] = []): void {
    bench().host.onProjection = (read) => {
      reads.push(read);
      if (read.op === 'keys') return KEYS;
      if (read.op === 'values') return read.keys.slice(0, 50).map((key) => ({ of: key }));
      if (read.op === 'get') return { of: read.key };
      if (read.op === 'length') return read.id === 'text' ? POINTS.length : ROWS.length;
      return read.id === 'text' ? POINTS.slice(read.start, read.stop).join('') : ROWS.slice(read.start, read.stop);
    };
  }

  async function bind(reads: ProjectionRead[] = []): Promise<void> {
    serve(reads);
    await bench().repl.bind({
      values: {
        t: { kind: 'projection', id: 'text', shape: 'text', size: POINTS.length },
        r: { kind: 'projection', id: 'rows', shape: 'list' },
        m: { kind: 'projection', id: 'map', shape: 'mapping' },
        s: { kind: 'text', text: TEXT },
        l: { kind: 'json', json: JSON.stringify(ROWS) },
        d: { kind: 'json', json: JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, { of: key }]))) },
      },
    });
  }

  describe('values of the host in pages', () => {
    test.for([
      ['text', 't', 's', TEXT_EXPRESSIONS],
      ['lists', 'r', 'l', LIST_EXPRESSIONS],
      ['mappings', 'm', 'd', MAPPING_EXPRESSIONS],
    ] as const)('%s give what the plain value gives', async ([, lazy, plain, expressions]) => {
      await bind();
      const code = [
        `asked = ${JSON.stringify(expressions)}`,
        `[x for x in asked if repr(eval(x, {"X": ${lazy}})) != repr(eval(x, {"X": ${plain}}))]`,
      ].join('\n');
      expect(await bench().value(code)).toBe('[]');
    });

    test('a text is a file that is read', async () => {
      await bind();
      const code = [
        'import io, csv, itertools',
        'f, g, l0 = t.open(), io.StringIO(s, newline="\\n"), s.split("\\n", 1)[0] + "\\n"',
        'same = [f.readline() == g.readline(), f.read(10_000) == g.read(10_000), f.seek(0, 1) == 10_000 + len(l0)]',
        'f.seek(50_000); g.seek(50_000)',
        'same += [f.readline(3) == g.readline(3), list(itertools.islice(f, 100)) == list(itertools.islice(g, 100))]',
        'same += [f.read() == g.read(), f.read(5) == "", list(t.open()) == list(io.StringIO(s, newline="\\n"))]',
        'same += [len(list(csv.reader(t.open()))) == len(list(csv.reader(io.StringIO(s, newline="\\n"))))]',
        'same',
      ].join('\n');
      expect(await bench().value(code)).toBe(`[${Array.from({ length: 9 }, () => 'True').join(', ')}]`);
    });

    test('a text is searched by regular expressions of any kind, match by match', async () => {
      await bind();
      const code = [
        'import re',
        'p = re.compile(r"^line \\d*7 .*$", re.M)',
        'mine = [(h["start"], h["match"]) for h in t.finditer(p)]',
        '[mine == [(m.start(), m.group()) for m in p.finditer(s)], len(mine), next(t.finditer("LINE 5", re.I))["index"]]',
      ].join('\n');
      expect(await bench().value(code)).toBe('[True, 900, 0]');
    });

    test('reads in order take few requests, of which the next one is under way', async () => {
      const reads: ProjectionRead[] = [];
      await bind(reads);
      await bench().run('len(r)');
      reads.length = 0;
      await bench().run('total = sum(r[i]["id"] for i in range(len(r)))');
      expect(reads.length).toBeLessThan(15);
      reads.length = 0;
      await bench().run('text = "".join(t)');
      expect(reads.length).toBeLessThan(20);
      const stops = reads.map((read) => (read.op === 'slice' ? read.stop : 0));
      expect(Math.max(...stops)).toBe(POINTS.length);
      reads.length = 0;
      expect(await bench().value('len(dict(m.items()))')).toBe('300');
      expect(reads.length).toBeLessThan(12);
    });

    test('a page is read once in a cell, and is not kept for the next one', async () => {
      const reads: ProjectionRead[] = [];
      await bind(reads);
      await bench().run('[t[i] for i in range(500)], [r[i % 50] for i in range(500)]');
      const first = reads.length;
      expect(first).toBeLessThanOrEqual(3);
      await bench().run('t[3], r[3]');
      expect(reads.length).toBeGreaterThan(first);
    });

    test('a short reply is the beginning of a page, and iteration continues behind it', async () => {
      const rows = ROWS.slice(0, 500);
      bench().host.onProjection = (read) =>
        read.op === 'slice' ? rows.slice(read.start, Math.min(read.stop, read.start + 7)) : rows.length;
      await bench().repl.bind({ values: { few: { kind: 'projection', id: 'few', shape: 'list' } } });
      const code =
        '[x["id"] for x in few] == [*range(500)], few[499]["id"], [x["id"] for x in few[60:90]] == [*range(60, 90)]';
      expect(await bench().value(code)).toBe('(True, 499, True)');
    });

    test('an iteration that a later cell continues asks again', async () => {
      await bind();
      await bench().run('it = iter(r); first = [next(it)["id"] for _ in range(200)]');
      expect(await bench().value('[next(it)["id"] for _ in range(3)], sum(1 for _ in it)')).toBe(
        '([200, 201, 202], 4797)',
      );
    });
  });
}
