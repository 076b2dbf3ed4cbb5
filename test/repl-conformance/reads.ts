import { describe, expect, test } from 'vitest';
import type { HistoryRead, JsonValue, ProjectionRead } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

/** The history and projections, which cells read from the host piece by piece. */
export function describeReads(bench: () => Bench): void {
  describe('history', () => {
    const items = ['t1', 't2', 't3', 't4'].map((id) => ({ id, kind: 'turn', text: `text of ${id}` }));
    const read = (it: HistoryRead): JsonValue => {
      if (it.op === 'length') return items.length;
      if (it.op === 'items') return items.slice(it.start, it.stop);
      if (it.id === 't1.0') return 'the full output';
      return items.find((item) => item.id === it.id) ?? null;
    };

    test('is a read-only sequence: len, truth, iteration, indices, slices, reversed', async () => {
      bench().host.onHistory = read;
      expect(await bench().value('len(history), bool(history), [i["id"] for i in history]')).toBe(
        "(4, True, ['t1', 't2', 't3', 't4'])",
      );
      expect(await bench().value('history[0]["id"], history[-1]["id"], [i["id"] for i in history[1:3]]')).toBe(
        "('t1', 't4', ['t2', 't3'])",
      );
      expect(await bench().value('[i["id"] for i in history[::-2]], [i["id"] for i in reversed(history)]')).toBe(
        "(['t4', 't2'], ['t4', 't3', 't2', 't1'])",
      );
      expect((await bench().failure('history[4]')).type).toBe('IndexError');
      expect((await bench().failure('history[0] = 1')).type).toBe('TypeError');
    });

    test('takes stable ids, and says no to others', async () => {
      bench().host.onHistory = read;
      expect(await bench().value('history["t1.0"], history["t2"]["text"]')).toBe("('the full output', 'text of t2')");
      expect((await bench().failure('history["0"]')).type).toBe('KeyError');
    });

    test('knows what is in it, by item and by id', async () => {
      bench().host.onHistory = read;
      expect(await bench().value('"t3" in history, "t9" in history, history[1] in history, {} in history')).toBe(
        '(True, False, True, False)',
      );
    });

    test('is empty at first', async () => {
      expect(await bench().value('len(history), bool(history), list(history)')).toBe('(0, False, [])');
    });
  });

  describe('projections', () => {
    const text = `${'alpha beta 😀 '.repeat(20_000)}needle-42 end`;
    const characters = [...text];
    const rows = Array.from({ length: 500 }, (_, index) => ({ id: index, name: `row ${index}` }));

    function serve(reads: ProjectionRead[]): void {
      bench().host.onProjection = (read) => {
        reads.push(read);
        if (read.id === 'rows')
          return read.op === 'length' ? rows.length : read.op === 'slice' ? rows.slice(read.start, read.stop) : null;
        if (read.op === 'values') return read.keys.map((key) => ({ of: key }));
        if (read.id === 'map') return read.op === 'keys' ? ['x', 'y'] : read.op === 'get' ? { of: read.key } : null;
        return read.op === 'length'
          ? characters.length
          : read.op === 'slice'
            ? characters.slice(read.start, read.stop).join('')
            : null;
      };
    }

    test('of text: code points, slices, in, peek, search, chunk', async () => {
      const reads: ProjectionRead[] = [];
      serve(reads);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'text', shape: 'text', size: characters.length } },
      });
      expect(await bench().value('len(context), context[11], context[-3:], context.peek(0, 5)')).toBe(
        `(${characters.length}, '😀', 'end', 'alpha')`,
      );
      expect(reads.every((read) => read.op !== 'slice' || read.stop - read.start <= 16 * 1024)).toBe(true);
      expect(reads.length).toBeLessThanOrEqual(3);
      expect(await bench().value('"needle-42" in context, "absent" in context')).toBe('(True, False)');
      const hit = await bench().value(
        'h = context.search(r"needle-(\\d+)")[0]\nh["match"], h["start"], h["end"], "needle" in h["snippet"]',
      );
      expect(hit).toBe(`('needle-42', ${characters.length - 13}, ${characters.length - 4}, True)`);
      const chunks =
        'c = context.chunk(50_000, overlap=100)\n"".join(x["text"][100 if x["index"] else 0:] for x in c) == context[:], c[1]["start"]';
      expect(await bench().value(chunks)).toBe('(True, 49900)');
      expect(await bench().value('len(context.search("alpha", max_hits=7))')).toBe('7');
    });

    test('of text are searched across the pages they are read in', async () => {
      const long = `${'x'.repeat(1024 * 1024 - 3)} needle 😀 ${'y'.repeat(100)}`;
      const points = [...long];
      bench().host.onProjection = (read) => (read.op === 'slice' ? points.slice(read.start, read.stop).join('') : null);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'long', shape: 'text', size: points.length } },
      });
      const at = points.length - 100 - 9;
      expect(await bench().value('[(h["start"], h["match"]) for h in context.search("needle")]')).toBe(
        `[(${at}, 'needle')]`,
      );
      expect(await bench().value('context.search("^."), context.search(r"\\A.")')).toContain("'start': 0");
      expect(
        await bench().value('len(context.search("^.")), len(context.search("(?<!x)[y]", 5)), context.search("z*", 0)'),
      ).toBe('(1, 5, [])');
      expect(await bench().value('context.search("needle")[0]["snippet"][:80] == "x" * 79 + " "')).toBe('True');
    });

    test('of text are searched for texts as a str is, in pages', async () => {
      const long = `${'ab😀'.repeat(400_000)}needle`;
      const points = [...long];
      const reads: ProjectionRead[] = [];
      bench().host.onProjection = (read) => {
        reads.push(read);
        return read.op === 'slice' ? points.slice(read.start, read.stop).join('') : null;
      };
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'long', shape: 'text', size: points.length } },
      });
      const code = [
        's = str(context)',
        'asked = [("needle",), ("ab",), ("b😀a",), ("zz",), ("",), ("ab", 1), ("ab", -10, -1), ("needle", 0, 9)]',
        '[name for name in ("find", "count") for a in asked if getattr(context, name)(*a) != getattr(s, name)(*a)]',
      ].join('\n');
      expect(await bench().value(code)).toBe('[]');
      expect(await bench().value('context.index("needle") == s.index("needle")')).toBe('True');
      expect((await bench().failure('context.index("zz")')).type).toBe('ValueError');
      expect(reads.length).toBeLessThan(100);
    });

    test('of lists: a full sequence, searched by item', async () => {
      serve([]);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'rows', shape: 'list', size: rows.length } },
      });
      expect(
        await bench().value(
          'len(context), context[3]["name"], context[-1]["id"], len(context[10:20]), sum(1 for _ in context)',
        ),
      ).toBe("(500, 'row 3', 499, 10, 500)");
      expect(
        await bench().value('context.index({"id": 7, "name": "row 7"}), context.count({"id": 7, "name": "row 7"})'),
      ).toBe('(7, 1)');
      expect(await bench().value('[(h["index"], h["match"]) for h in context.search("row 49\\\\d")][:2]')).toBe(
        "[(490, 'row 490'), (491, 'row 491')]",
      );
      expect((await bench().failure('context[500]')).type).toBe('IndexError');
      expect((await bench().failure('context.index(99)')).type).toBe('ValueError');
      expect(await bench().value('[r["id"] for r in reversed(context)] == [*range(499, -1, -1)]')).toBe('True');
    });

    test('leave the REPL as what they stand for: in answers, and as contexts of children', async () => {
      serve([]);
      bench().host.onCall = (call) => (call.kind === 'rlm' ? JSON.stringify(call.context) : 'flat');
      await bench().repl.bind({
        values: {
          rows: { kind: 'projection', id: 'rows', shape: 'list', size: 2 },
          entries: { kind: 'projection', id: 'map', shape: 'mapping' },
          context: { kind: 'mapping', names: ['rows', 'entries'] },
        },
      });
      const listed = [rows[0], rows[1]];
      const mapped = { x: { of: 'x' }, y: { of: 'y' } };
      const answered = async (code: string): Promise<unknown> =>
        JSON.parse((await bench().run(code)).answer?.json ?? '');
      expect(await answered('FINAL(rows)')).toEqual(listed);
      expect(await answered('FINAL_VAR("entries")')).toEqual(mapped);
      expect(await answered('FINAL(context)')).toEqual({ rows: listed, entries: mapped });
      expect(await bench().value('rlm_query("q", rows).count("row 1")')).toBe('1');
    });

    test('of mappings: keys and values on demand', async () => {
      const reads: ProjectionRead[] = [];
      serve(reads);
      await bench().repl.bind({ values: { context: { kind: 'projection', id: 'map', shape: 'mapping' } } });
      expect(await bench().value('list(context), context["y"], "z" in context, context.get("z")')).toBe(
        "(['x', 'y'], {'of': 'y'}, False, None)",
      );
      expect(reads.filter((read) => read.op === 'get')).toHaveLength(1);
    });

    test('map_query and reduce_query ask about pieces', async () => {
      serve([]);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'text', shape: 'text', size: characters.length } },
      });
      const code =
        'c = context.chunk(200_000)\nr = context.map_query("Say:", c)\n[len(r), r[0].ok, context.reduce_query("All:", ["a", "b"])]';
      expect(await bench().value(code)).toBe("[2, True, 'echo: All:\\n\\na\\n\\nb']");
      const asked = bench().host.calls.length;
      for (const wrong of ['map_query("Say:", "a text")', 'reduce_query("All:", context)', 'map_query(5, ["a"])'])
        expect((await bench().failure(`context.${wrong}`)).type).toBe('TypeError');
      expect(bench().host.calls).toHaveLength(asked);
    });
  });
}
