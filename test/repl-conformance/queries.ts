import { describe, expect, test } from 'vitest';
import { type Bench, badReply, goodReply, LIMITS, promptOf } from './bench.ts';

/** Sub-calls: single, batched, children. */
export function describeQueries(bench: () => Bench): void {
  describe('llm_query', () => {
    test('gives a str that knows how it came about', async () => {
      const code = 'r = llm_query("hi")\nr, isinstance(r, str), r.ok, r.truncated, r.error, r.usage, r + "!"';
      expect(await bench().value(code)).toBe(
        "('echo: hi', True, True, False, None, {'input_tokens': 3, 'output_tokens': 2, 'cost_usd': 0.5}, 'echo: hi!')",
      );
    });

    test('sends prompt, system, model and max_tokens', async () => {
      await bench().run('llm_query("p", system="s é", model="m/x", max_tokens=5)');
      expect(bench().host.calls).toEqual([{ kind: 'llm', prompt: 'p', system: 's é', model: 'm/x', maxTokens: 5 }]);
    });

    test('takes subclasses of str as the text they are, whatever their methods say', async () => {
      const code = `from enum import Enum
class Model(str, Enum): FAST = "m/fast"
class Odd(str):
    def __str__(self): raise BaseException
    def __eq__(self, other): return True
    def __hash__(self): return 1
    def encode(self, *_): return 5
class Long(int):
    def __int__(self): return 10**30
llm_query(Odd("p"), system=Odd("s"), model=Model.FAST, max_tokens=Long(5))
llm_query([{"role": Odd("user"), "content": Odd("c")}], model=Odd("m"))
import pickle
pickle.loads(pickle.dumps(llm_query("x"))).usage["input_tokens"]`;
      expect(await bench().value(code)).toBe('3');
      expect(bench().host.calls.slice(0, 2)).toEqual([
        { kind: 'llm', prompt: 'p', system: 's', model: 'm/fast', maxTokens: 5 },
        { kind: 'llm', prompt: [{ role: 'user', content: 'c' }], model: 'm' },
      ]);
    });

    test('takes a chat', async () => {
      await bench().run('llm_query([{"role": "user", "content": "é"}, {"role": "assistant", "content": "b"}])');
      expect(bench().host.calls[0]).toMatchObject({
        prompt: [
          { role: 'user', content: 'é' },
          { role: 'assistant', content: 'b' },
        ],
      });
    });

    test('is byte-exact both ways, but for lone surrogates', async () => {
      const code =
        's = "".join(map(chr, [*range(0, 0x300), 0x2028, 0xfeff, 0x1f600])) + "\\r\\n\\"\\\\"\nllm_query(s) == "echo: " + s';
      expect(await bench().value(code)).toBe('True');
      await bench().run('llm_query("a\\ud800b")');
      expect(bench().host.calls.at(-1)).toMatchObject({ prompt: 'a\ufffdb' });
    });

    test('reports a truncated reply', async () => {
      bench().host.onCall = () => goodReply('half', { truncated: true });
      expect(await bench().value('r = llm_query("x"); r.ok, r.truncated')).toBe('(True, True)');
    });

    test('raises LLMError when it fails', async () => {
      bench().host.onCall = () => badReply('timeout', 'no answer in 5 s');
      const { type, message, traceback } = await bench().failure('llm_query("x")');
      expect(type).toBe('LLMError');
      expect(message).toBe('no answer in 5 s');
      expect(traceback).not.toContain('fathom_guest');
      const caught = 'try: llm_query("x")\nexcept LLMError as e: c = e.code\nc';
      expect(await bench().value(caught)).toBe("'timeout'");
    });

    test('raises BudgetExceeded with what is left', async () => {
      bench().host.onCall = () => badReply('budget', 'no tokens left', { tokens: 7 });
      const code = 'try: llm_query("x")\nexcept BudgetExceeded as e: got = (e.left, isinstance(e, LLMError))\ngot';
      expect(await bench().value(code)).toBe("({'tokens': 7}, True)");
    });

    test('raises when the host throws', async () => {
      bench().host.onCall = () => Promise.reject(new Error('broken host'));
      expect((await bench().failure('llm_query("x")')).message).toContain('broken host');
    });

    test.each(['llm_query("")', 'llm_query(" \\n")', 'llm_query([])', 'llm_query_batched(["a", ""])'])(
      'refuses empty prompts before sending: %s',
      async (code) => {
        expect((await bench().failure(code)).type).toBe('ValueError');
        expect(bench().host.calls).toEqual([]);
      },
    );

    test.each([
      'llm_query(5)',
      'llm_query(None)',
      'llm_query(b"x")',
      'llm_query(["a"])',
      'llm_query([{"role": "tool", "content": "x"}])',
      'llm_query_batched("abc")',
      'llm_query_batched([1])',
      'llm_query("a", nonsense=1)',
    ])('refuses other types before sending: %s', async (code) => {
      expect((await bench().failure(code)).type).toBe('TypeError');
      expect(bench().host.calls).toEqual([]);
    });

    test('refuses prompts above promptBytes with both sizes', async () => {
      const { type, message } = await bench().failure(`llm_query("x" * ${LIMITS.promptBytes + 1})`);
      expect(type).toBe('ValueError');
      expect(message).toContain(String(LIMITS.promptBytes + 1));
      expect(message).toContain(String(LIMITS.promptBytes));
    });

    test('sends a prompt of exactly promptBytes', async () => {
      expect(await bench().value(`len(llm_query("x" * ${LIMITS.promptBytes}))`)).toBe(String(LIMITS.promptBytes + 6));
    });

    test('works in functions, comprehensions, generators and class bodies', async () => {
      const code = [
        'def ask(x): return llm_query(x)',
        'class Box:',
        '    value = llm_query("class")',
        '[ask(c) for c in "ab"], list(llm_query(c) for c in "c"), Box.value',
      ].join('\n');
      expect(await bench().value(code)).toBe("(['echo: a', 'echo: b'], ['echo: c'], 'echo: class')");
    });

    test('counts also through an alias', async () => {
      await bench().run('alias = llm_query\nllm_query = None\nalias("through alias")');
      expect(bench().host.calls).toHaveLength(1);
    });
  });

  describe('llm_query_batched', () => {
    test('keeps length and order, whatever order the replies come in', async () => {
      bench().host.onCall = async (call) => {
        await new Promise((resolve) => setTimeout(resolve, promptOf(call).endsWith('0') ? 20 : 1));
        return promptOf(call);
      };
      expect(await bench().value('llm_query_batched([str(i) for i in range(25)]) == [str(i) for i in range(25)]')).toBe(
        'True',
      );
    });

    test('gives failed slots as replies with ok == False and no text', async () => {
      bench().host.onCall = (call) => (promptOf(call) === 'bad' ? badReply('model-failure', 'overloaded') : 'fine');
      expect(await bench().value('[(str(r), r.ok, r.error) for r in llm_query_batched(["a", "bad"])]')).toBe(
        "[('fine', True, None), ('', False, {'code': 'model-failure', 'message': 'overloaded'})]",
      );
    });

    test('of nothing is nothing', async () => {
      expect(await bench().value('llm_query_batched([])')).toBe('[]');
      expect(bench().host.calls).toEqual([]);
    });

    test('takes tuples and generators and the options of llm_query', async () => {
      expect(await bench().value('llm_query_batched((p for p in "ab"), system="s", max_tokens=9)')).toBe(
        "['echo: a', 'echo: b']",
      );
      expect(bench().host.calls).toMatchObject([
        { prompt: 'a', system: 's', maxTokens: 9, batch: { index: 0, count: 2 } },
        { prompt: 'b', system: 's', maxTokens: 9, batch: { index: 1, count: 2 } },
      ]);
    });

    test('of 10 000 prompts keeps no more than the window under way and loses nothing', async () => {
      let underWay = 0;
      let most = 0;
      bench().host.onCall = async (call) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return promptOf(call);
      };
      const code = 'ps = [f"prompt {i}" for i in range(10_000)]\nllm_query_batched(ps) == ps';
      expect(await bench().value(code)).toBe('True');
      expect(most).toBeLessThanOrEqual(LIMITS.callWindow);
      expect(most).toBeGreaterThan(LIMITS.callWindow / 2);
    });

    test('refuses more than maxBatchItems before sending', async () => {
      const { type, message } = await bench().failure(`llm_query_batched(["x"] * ${LIMITS.maxBatchItems + 1})`);
      expect(type).toBe('ValueError');
      expect(message).toContain(String(LIMITS.maxBatchItems));
      expect((await bench().failure('import itertools\nllm_query_batched(itertools.repeat("x"))')).type).toBe(
        'ValueError',
      );
      expect(bench().host.calls).toEqual([]);
    });

    test('of large prompts arrives whole', async () => {
      bench().host.onCall = (call) => String(promptOf(call).length);
      const sizes = '[1_500_000 + i for i in range(6)]';
      expect(await bench().value(`[int(r) for r in llm_query_batched(["é" * n for n in ${sizes}])] == ${sizes}`)).toBe(
        'True',
      );
    });
  });

  describe('rlm_query', () => {
    test('sends query, context, output schema and model', async () => {
      bench().host.onCall = () => goodReply('{"n": 3}', { valueJson: '{"n": 3}' });
      const code = 'r = rlm_query("q", [1, "é"], output={"type": "object"}, model="m")\nr, r.value["n"]';
      expect(await bench().value(code)).toBe('(\'{"n": 3}\', 3)');
      expect(bench().host.calls).toEqual([
        {
          kind: 'rlm',
          query: 'q',
          context: { kind: 'json', json: '[1, "é"]' },
          output: { type: 'object' },
          model: 'm',
        },
      ]);
    });

    test('sends text, JSON and other contexts in their own form', async () => {
      await bench().run('rlm_query("a"); rlm_query("b", "text"); rlm_query("c", {1: 2})');
      expect(bench().host.calls).toEqual([
        { kind: 'rlm', query: 'a' },
        { kind: 'rlm', query: 'b', context: { kind: 'text', text: 'text' } },
        { kind: 'rlm', query: 'c', context: { kind: 'text', text: '{1: 2}' } },
      ]);
    });

    test('sends a large context by a file of the host', async () => {
      let seen = '';
      bench().host.onCall = async (call) => {
        if (call.kind !== 'rlm' || call.context?.kind !== 'file') return 'no file';
        const { readFile } = await import('node:fs/promises');
        seen = await readFile(call.context.path, 'utf8');
        return `${call.context.bytes} ${call.context.as}`;
      };
      expect(await bench().value('str(rlm_query("q", "é" * 6_000_000))')).toBe("'12000000 text'");
      expect(seen).toBe('é'.repeat(6_000_000));
    });

    test('batched takes queries, pairs and dicts', async () => {
      const code =
        'rlm_query_batched(["a", ("b", "ctx"), {"query": "c", "context": [1], "output": {"type": "array"}}])';
      expect(await bench().value(code)).toBe("['echo: a', 'echo: b', 'echo: c']");
      expect(bench().host.calls).toMatchObject([
        { query: 'a', batch: { index: 0, count: 3 } },
        { query: 'b', context: { kind: 'text', text: 'ctx' } },
        { query: 'c', context: { kind: 'json', json: '[1]' }, output: { type: 'array' } },
      ]);
      expect((await bench().failure('rlm_query_batched([{"q": 1}])')).type).toBe('TypeError');
    });

    test('raises LLMError when the child fails; a failed slot of a batch does not', async () => {
      bench().host.onCall = () => badReply('context-length', 'the context has 5 and the model takes 3');
      expect((await bench().failure('rlm_query("q", "c")')).type).toBe('LLMError');
      expect(await bench().value('[r.ok for r in rlm_query_batched(["q"])]')).toBe('[False]');
    });
  });
}
