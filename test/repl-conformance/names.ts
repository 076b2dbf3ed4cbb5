import { describe, expect, test } from 'vitest';
import type { Bench } from './bench.ts';

const BOUND = [
  ...['context', 'history', 'llm_query', 'llm_query_batched', 'rlm_query', 'rlm_query_batched', 'allm_query'],
  ...['allm_query_batched', 'arlm_query', 'arlm_query_batched', 'LLMError', 'BudgetExceeded', 'FINAL', 'FINAL_VAR'],
  ...['SUBMIT', 'SHOW_VARS', 'answer'],
];

/** Names bound for the model. */
export function describeNames(bench: () => Bench): void {
  describe('bound names', () => {
    test('are all there', async () => {
      expect(await bench().value(`[n for n in ${JSON.stringify(BOUND)} if n not in globals()]`)).toBe('[]');
    });

    test('context is None until one is bound', async () => {
      expect(await bench().value('context is None')).toBe('True');
    });

    test('are back in the next cell when overwritten or deleted', async () => {
      for (const name of BOUND) {
        await bench().run(`${name} = 'mine'`);
        expect(await bench().value(`${name} == 'mine'`)).toBe('False');
        await bench().run(`del ${name}`);
        expect(await bench().value(`'${name}' in globals()`)).toBe('True');
      }
    });

    test('that a cell overwrote are reported', async () => {
      const { rebound } = await bench().run('llm_query = None\nhistory = []');
      expect([...(rebound ?? [])].sort()).toEqual(['history', 'llm_query']);
      expect((await bench().run('1')).rebound).toBeUndefined();
    });

    test('are the same objects: a changed context stays changed', async () => {
      await bench().repl.bind({ values: { context: { kind: 'json', json: '[1, 2]' } } });
      await bench().run('context.append(3)');
      await bench().run('context = "overwritten"');
      expect(await bench().value('context')).toBe('[1, 2, 3]');
    });

    test('survive a cleared namespace', async () => {
      await bench().run('globals().clear()');
      expect(await bench().value('llm_query("still here")')).toBe("'echo: still here'");
      expect(await bench().value('len([1]), __name__')).toBe("(1, '__main__')");
    });

    test('have signatures and help texts', async () => {
      const code = 'import inspect\nstr(inspect.signature(llm_query)), bool(llm_query.__doc__), llm_query.__name__';
      expect(await bench().value(code)).toContain('(prompt, *, images=None, system=None, model=None, max_tokens=None)');
    });

    test('SHOW_VARS gives text that lists data, functions and classes but no helpers', async () => {
      await bench().run('zeta = [1, 2]\ndef eta(): pass\nclass Theta: pass\nimport os');
      const { stdout } = await bench().run('print(SHOW_VARS())');
      expect(stdout.text).toMatch(/^zeta: list \(2\) = \[1, 2\]$/m);
      expect(stdout.text).toMatch(/^eta: function/m);
      expect(stdout.text).toMatch(/^Theta: type/m);
      expect(stdout.text).not.toContain('llm_query');
      expect(stdout.text).not.toMatch(/^os:/m);
    });

    test('the variables panel lists new and changed ones first and calls no code of cells', async () => {
      const code = [
        'class Spy:',
        '    def __repr__(self): raise SystemExit("repr")',
        '    def __len__(self): raise SystemExit("len")',
        '    def __getattribute__(self, n): raise SystemExit("attribute")',
        '    __class__ = property(lambda self: 1/0)',
        'class Sneaky(list):',
        '    def __len__(self): raise SystemExit("len")',
        'class Meta(type):',
        '    __name__ = property(lambda self: 1/0)',
        'class Named(metaclass=Meta): pass',
        'spy = Spy(); sneaky = Sneaky([1]); held = [Spy()]; named = Named()',
        'None',
      ].join('\n');
      const { ok, variables } = await bench().run(code);
      expect(ok).toBe(true);
      const rows = new Map(variables?.map((row) => [row.name, row]));
      expect(rows.get('spy')).toEqual({ name: 'spy', type: 'Spy', changed: true });
      expect(rows.get('sneaky')).toMatchObject({ type: 'Sneaky', size: 1 });
      expect(rows.get('sneaky')?.preview).toBeUndefined();
      expect(rows.get('held')?.preview).toBe('[<Spy>]');
      const after = await bench().run('fresh_one = 1');
      expect(after.variables?.[0]).toEqual({ name: 'fresh_one', type: 'int', preview: '1', changed: true });
      expect(after.variables?.find((row) => row.name === 'spy')?.changed).toBeUndefined();
    });

    test('the panel bounds previews and the number of rows', async () => {
      const { variables } = await bench().run(
        'long_text = "y" * 10_000_000\nfor i in range(5000): globals()[f"v{i}"] = i',
      );
      expect(variables?.length).toBeLessThanOrEqual(200);
      for (const row of variables ?? []) expect(row.preview?.length ?? 0).toBeLessThan(300);
      await bench().run('for i in range(5000): del globals()[f"v{i}"]');
    });
  });

  describe('variables from outside', () => {
    test('are set and read as JSON', async () => {
      const value = { list: [1, 2.5, null, true], text: 'é\ud83d\ude00' };
      await bench().repl.setVariable('from_host', value);
      expect(await bench().value('from_host["list"], type(from_host["list"][0])')).toBe(
        "([1, 2.5, None, True], <class 'int'>)",
      );
      expect(await bench().repl.getVariable('from_host')).toEqual(value);
    });

    test('tuples read as lists, str subclasses as str', async () => {
      await bench().run('pair = (1, llm_query("x"))');
      expect(await bench().repl.getVariable('pair')).toEqual([1, 'echo: x']);
    });

    test('that do not exist are an error that lists names', async () => {
      await bench().run('known_name = 1');
      await expect(bench().repl.getVariable('unknown_name')).rejects.toMatchObject({
        code: 'variable-not-found',
        message: expect.stringContaining('known_name'),
      });
    });

    test('that JSON cannot hold are an error', async () => {
      await bench().run('a_set = {1}\nnot_finite = float("nan")\nnumber_keys = {1: 2}\nloop = []\nloop.append(loop)');
      for (const name of ['a_set', 'not_finite', 'number_keys', 'loop']) {
        await expect(bench().repl.getVariable(name)).rejects.toMatchObject({ code: 'not-json' });
      }
    });

    test('cannot take protected or invalid names', async () => {
      for (const name of ['llm_query', '__builtins__', '__name__']) {
        await expect(bench().repl.setVariable(name, 1)).rejects.toMatchObject({ code: 'reserved-name' });
      }
      for (const name of ['no name', 'class', '1a', '']) {
        await expect(bench().repl.setVariable(name, 1)).rejects.toMatchObject({ code: 'invalid-name' });
      }
    });

    test('are listed', async () => {
      await bench().run('listed_one = {"a": 1}');
      const rows = await bench().repl.variables();
      expect(rows.find((row) => row.name === 'listed_one')).toMatchObject({
        type: 'dict',
        size: 1,
        preview: "{'a': 1}",
      });
    });
  });
}
