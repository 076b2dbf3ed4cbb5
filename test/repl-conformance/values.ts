import { describe, expect, test } from 'vitest';
import type { Bench } from './bench.ts';

/** Values bound from outside: contexts, files, documents, projections, history, tools. */
export function describeValues(bench: () => Bench): void {
  describe('bound values', () => {
    test('text is byte-exact: line ends, NUL, quotes, lone surrogates', async () => {
      const text = '\ufeffa\r\nb\rc\n\0"\'\\ \'\'\'""" é 😀 \ud800 \udc00x\ud83d\u2028"';
      await bench().repl.bind({ values: { context: { kind: 'text', text } } });
      const expected = JSON.stringify([...text].map((character) => character.codePointAt(0)));
      expect(await bench().value(`[ord(c) for c in context] == ${expected}`)).toBe('True');
    });

    test('JSON is parsed by Python: exact integers, order, duplicates of no harm', async () => {
      const json = '{"b": 123456789012345678901234567890, "a": [1.0, 1e3, null, true], "__proto__": "x"}';
      await bench().repl.bind({ values: { context: { kind: 'json', json } } });
      expect(await bench().value('context')).toBe(
        "{'b': 123456789012345678901234567890, 'a': [1.0, 1000.0, None, True], '__proto__': 'x'}",
      );
    });

    test('bytes of the host, alone and as documents beside texts', async () => {
      const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const documents = [
        { path: 'a.txt', content: { kind: 'text', text: 'é' } },
        { path: 'b.png', content: { kind: 'bytes', data }, about: { meta: { kind: 'image', width: 3 } } },
        { path: 'c.bin', content: { kind: 'bytes', data: new Uint8Array() } },
      ] as const;
      await bench().repl.bind({ values: { raw: { kind: 'bytes', data }, context: { kind: 'documents', documents } } });
      expect(await bench().value('raw == bytes(range(256)) == context["b.png"].bytes')).toBe('True');
      expect(await bench().value('[(one.kind, one.size, one.is_text) for one in context]')).toBe(
        "[('text', 1, True), ('image', 256, False), ('binary', 0, False)]",
      );
      expect(await bench().value('context[1].meta["width"], context[0].bytes')).toBe("(3, b'\\xc3\\xa9')");
    });

    test('several named contexts: each by name, context a read-only mapping of them', async () => {
      await bench().repl.bind({
        values: {
          a: { kind: 'text', text: 'first' },
          b: { kind: 'json', json: '[2]' },
          context: { kind: 'mapping', names: ['a', 'b'] },
        },
      });
      expect(await bench().value('a, b, dict(context), context["b"] is b')).toBe(
        "('first', [2], {'a': 'first', 'b': [2]}, True)",
      );
      expect((await bench().failure('context["c"] = 1')).type).toBe('TypeError');
    });

    test('none is None', async () => {
      await bench().repl.bind({ values: { context: { kind: 'none' } } });
      expect(await bench().value('context')).toBeNull();
    });

    test('stay when others are bound later', async () => {
      await bench().repl.bind({ values: { seed: { kind: 'json', json: '{"k": 1}' } } });
      await bench().repl.bind({ values: { context_1: { kind: 'text', text: 'one' } } });
      expect(await bench().value('seed, context_1')).toBe("({'k': 1}, 'one')");
    });

    test('a text of 20 MB arrives whole', async () => {
      const text = 'line é\n'.repeat(2_500_000);
      await bench().repl.bind({ values: { context: { kind: 'text', text } } });
      expect(await bench().value('len(context), context.count("\\n"), context[-7:]')).toBe(
        "(17500000, 2500000, 'line é\\n')",
      );
    });
  });

  describe('tools', () => {
    test('take keywords or positions in schema order and give JSON', async () => {
      await bench().repl.bind({ tools: [{ name: 'look_up', description: 'Looks up.', parameters: ['key', 'deep'] }] });
      expect(await bench().value('look_up("k", deep=(1, 2))')).toBe(
        "{'name': 'look_up', 'args': {'key': 'k', 'deep': [1, 2]}}",
      );
      expect(await bench().value('look_up.__name__, look_up.__doc__')).toBe("('look_up', 'Looks up.')");
      for (const code of ['look_up(1, 2, 3)', 'look_up(1, key=2)', 'look_up({1, 2})']) {
        expect((await bench().failure(code)).type).toBe('TypeError');
      }
    });

    test('raise with the type and message of the host', async () => {
      bench().host.onTool = () => {
        throw new RangeError('out of range');
      };
      const { type, message } = await bench().failure('look_up("k")');
      expect([type, message]).toEqual(['RangeError', 'out of range']);
      bench().host.onTool = () => {
        throw Object.assign(new Error('not there'), { name: 'FileNotFoundError' });
      };
      expect(await bench().value('try: look_up("k")\nexcept FileNotFoundError as e: seen = str(e)\nseen')).toBe(
        "'not there'",
      );
    });

    test('are protected and may be passed around', async () => {
      await bench().run('look_up = None');
      expect(await bench().value('list(map(look_up, "a"))[0]["args"]')).toBe("{'key': 'a'}");
    });
  });
}
