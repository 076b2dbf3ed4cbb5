import { describe, expect, test } from 'vitest';
import { type Bench, LIMITS } from './bench.ts';

/** Answers from code and by name. */
export function describeAnswers(bench: () => Bench): void {
  describe('answers', () => {
    test('FINAL ends the cell and gives the value', async () => {
      const { ok, answer, stdout } = await bench().run('print("a")\nFINAL("done")\nprint("b")');
      expect(ok).toBe(true);
      expect(answer).toEqual({ via: 'final', json: '"done"', text: 'done' });
      expect(stdout.text).toBe('a\n');
    });

    test.each([
      ['{"a": (1, 2)}', '{"a": [1, 2]}', '{"a": [1, 2]}'],
      ['True', 'true', 'true'],
      ['12345678901234567890123', '12345678901234567890123', '12345678901234567890123'],
      ['[1.5, None, "é"]', '[1.5, null, "é"]', '[1.5, null, "é"]'],
      ['{1: 2}', null, '{1: 2}'],
      ['float("inf")', null, 'inf'],
      ['{3}', null, '{3}'],
      ['"lone \\ud800"', '"lone \ufffd"', 'lone \ufffd'],
      ['llm_query("q")', '"echo: q"', 'echo: q'],
    ])('FINAL(%s) crosses as JSON when it is JSON, else as text', async (value, json, text) => {
      const { answer } = await bench().run(`FINAL(${value})`);
      expect(answer?.text).toBe(text);
      expect(answer?.json === null ? null : JSON.stringify(JSON.parse(answer?.json ?? ''))).toBe(
        json === null ? null : JSON.stringify(JSON.parse(json)),
      );
    });

    test('of values that hold themselves are text', async () => {
      const { answer } = await bench().run('a = []\na.append(a)\nFINAL(a)');
      expect(answer).toEqual({ via: 'final', json: null, text: '[[...]]' });
    });

    test('the first FINAL of a cell counts', async () => {
      const { answer } = await bench().run('for i in range(3):\n    try: FINAL(i)\n    except BaseException: pass');
      expect(answer?.text).toBe('0');
    });

    test('FINAL that the code swallows still ends the completion at cell end, and the cell runs on', async () => {
      const { answer, stdout } = await bench().run('try:\n    FINAL(1)\nexcept:\n    print("swallowed")\nprint("on")');
      expect(answer?.text).toBe('1');
      expect(stdout.text).toBe('swallowed\non\n');
      const inFinally = await bench().run('def f():\n    try: FINAL(2)\n    finally: return 5\nf()');
      expect(inFinally.answer?.text).toBe('2');
    });

    test('a cell that ends in an error gives no answer', async () => {
      const { ok, answer } = await bench().run('try: FINAL(1)\nexcept BaseException: pass\n1/0');
      expect(ok).toBe(false);
      expect(answer).toBeUndefined();
      expect((await bench().run('x = 1')).answer).toBeUndefined();
    });

    test('FINAL does not raise an Exception', async () => {
      expect((await bench().run('try: FINAL(1)\nexcept Exception: pass\nprint("no")')).stdout.text).toBe('');
    });

    test('FINAL in a task ends the run at cell end', async () => {
      const code =
        'import asyncio\nasync def job(): FINAL("from task")\ntask = asyncio.ensure_future(job())\nawait asyncio.sleep(0.01)\nprint("on")';
      const { answer, stdout, stderr } = await bench().run(code);
      expect(answer?.text).toBe('from task');
      expect(stdout.text).toBe('on\n');
      expect(stderr.text).toBe('');
    });

    test('FINAL_VAR takes a name, also of a local variable, or a value that is not a string', async () => {
      await bench().run('result = {"n": 1}');
      expect((await bench().run('FINAL_VAR("result")')).answer).toEqual({
        via: 'final-var',
        json: '{"n": 1}',
        text: '{"n": 1}',
      });
      expect((await bench().run('def f():\n    inner = 7\n    FINAL_VAR("inner")\nf()')).answer?.text).toBe('7');
      expect((await bench().run('FINAL_VAR([1])')).answer?.text).toBe('[1]');
      expect((await bench().run(`FINAL_VAR(" 'result' ")`)).answer?.text).toBe('{"n": 1}');
    });

    test('FINAL_VAR of a long text says what it takes, and does not show the text', async () => {
      const { type, message } = await bench().failure('FINAL_VAR("secret " * 1000)');
      expect(type).toBe('NameError');
      expect(message).toContain('use FINAL for the text itself');
      expect(message).not.toContain('secret');
    });

    test('FINAL_VAR of an unknown name is an error that lists names, of a function an error too', async () => {
      await bench().run('present = 1');
      const { type, message } = await bench().failure('FINAL_VAR("absent")');
      expect(type).toBe('NameError');
      expect(message).toContain('present');
      expect((await bench().failure('def fn(): pass\nFINAL_VAR("fn")')).type).toBe('TypeError');
    });

    test.each(['FINAL(None)', 'FINAL("")', 'FINAL(" \\n")', 'e = ""; FINAL_VAR("e")', 'answer["ready"] = True'])(
      'empty answers are refused: %s',
      async (code) => {
        await bench().run('answer["content"] = ""');
        const { ok, answer, error } = await bench().run(code);
        expect(ok).toBe(false);
        expect(answer).toBeUndefined();
        expect(error?.message).toContain('empty');
      },
    );

    test('SUBMIT gives its keywords as one value', async () => {
      expect((await bench().run('SUBMIT(a=1, b="x")')).answer?.json).toBe('{"a": 1, "b": "x"}');
      expect((await bench().run('SUBMIT("plain")')).answer?.text).toBe('plain');
      expect((await bench().failure('SUBMIT(1, 2)')).type).toBe('TypeError');
    });

    test('the answer dict is taken when ready, however it was written', async () => {
      for (const code of [
        'answer["content"] = "v"; answer["ready"] = True',
        'answer.update(content="v", ready="yes")',
        'answer = {"content": "v", "ready": 1}',
        'a = answer\na["content"], a["ready"] = "v", True',
      ]) {
        expect((await bench().run(code)).answer).toEqual({ via: 'answer', json: '"v"', text: 'v' });
        expect((await bench().run('1')).answer).toBeUndefined();
      }
    });

    test('FINAL wins over the answer dict', async () => {
      const { answer } = await bench().run('answer["content"] = "dict"; answer["ready"] = True; FINAL("final")');
      expect(answer?.text).toBe('final');
      expect((await bench().run('1')).answer).toBeUndefined();
    });

    test('ready is reset when the cell ends in an error', async () => {
      await bench().run('answer["content"] = "x"; answer["ready"] = True; 1/0');
      expect(await bench().value('answer["ready"]')).toBe('False');
    });

    test('the draft is what answer["content"] holds', async () => {
      await bench().run('answer["content"] = ""');
      expect(await bench().repl.draft()).toBeUndefined();
      await bench().run('answer["content"] = {"so": "far"}');
      expect(await bench().repl.draft()).toEqual({ via: 'answer', json: '{"so": "far"}', text: '{"so": "far"}' });
      await bench().run('answer["content"] = ""');
    });

    test('a cell says whether there may be a draft', async () => {
      const drafted = async (code: string): Promise<unknown> => (await bench().run(code)).drafted;
      expect(await drafted('answer["content"] = "so far"')).toBe(true);
      expect(await drafted('1')).toBe(true);
      expect(await drafted('answer["content"] = " "')).toBe(false);
      expect(await drafted('answer = "meant as a draft"')).toBe(true);
      expect(await drafted('answer["content"] = None; 1/0')).toBe(false);
      expect(await drafted('answer["content"] = 0')).toBe(true);
      expect(await drafted('answer["content"] = ""')).toBe(false);
    });

    test('what an earlier completion left in the answer dict is neither draft nor answer of the next', async () => {
      await bench().run('answer["content"] = "old"');
      await bench().repl.bind({ output: null });
      expect(await bench().repl.draft()).toBeUndefined();
      expect(await bench().value('answer')).toBe("{'content': '', 'ready': False}");
    });

    test('above answerBytes raise with both sizes', async () => {
      const { type, message } = await bench().failure(`FINAL("x" * ${LIMITS.answerBytes + 1})`);
      expect(type).toBe('AnswerTooLarge');
      expect(message).toContain(String(LIMITS.answerBytes + 1));
      expect(message).toContain(String(LIMITS.answerBytes));
    });

    test('above answerBytes are refused by name too, with both sizes', async () => {
      await bench().run(`long = "x" * ${LIMITS.answerBytes + 1}`);
      await expect(bench().repl.answer({ kind: 'identifier', name: 'long' })).rejects.toMatchObject({
        code: 'answer-too-large',
        message: expect.stringMatching(new RegExp(`${LIMITS.answerBytes + 1} bytes.*${LIMITS.answerBytes} bytes`)),
      });
      await bench().run('long = None');
    });

    test('just within answerBytes cross whole', async () => {
      const { answer } = await bench().run(`FINAL("é" * ${LIMITS.answerBytes / 2})`);
      expect(answer?.text).toBe('é'.repeat(LIMITS.answerBytes / 2));
    });

    test('sub-calls after FINAL are refused, not sent', async () => {
      const code = 'try:\n    FINAL(1)\nfinally:\n    try: llm_query("late")\n    except LLMError as e: print(e.code)';
      const { answer, stdout } = await bench().run(code);
      expect(answer?.text).toBe('1');
      expect(stdout.text).toBe('cancelled\n');
      expect(bench().host.calls).toEqual([]);
    });
  });

  describe('typed answers', () => {
    test('are checked by the host; a mismatch raises with every error in one message', async () => {
      await bench().repl.bind({ output: { properties: ['name', 'age'] } });
      bench().host.onCheck = (json) => (json?.includes('age') ? [] : ['age: missing', 'name: too short']);
      const { type, message } = await bench().failure('FINAL({"name": ""})');
      expect(type).toBe('AnswerInvalid');
      expect(message).toContain('age: missing');
      expect(message).toContain('name: too short');
      expect((await bench().run('FINAL({"name": "a", "age": 1})')).answer?.json).toBe('{"name": "a", "age": 1}');
    });

    test('SUBMIT takes positional arguments in the order of the schema', async () => {
      expect((await bench().run('SUBMIT("a", age=3)')).answer?.json).toBe('{"name": "a", "age": 3}');
      expect((await bench().failure('SUBMIT(1, 2, 3)')).type).toBe('TypeError');
      expect((await bench().failure('SUBMIT(1, name=2)')).type).toBe('TypeError');
    });

    test('a mismatch in the answer dict fails the cell and resets ready', async () => {
      bench().host.onCheck = () => ['wrong'];
      const { ok, answer } = await bench().run('answer["content"] = 5; answer["ready"] = True');
      expect(ok).toBe(false);
      expect(answer).toBeUndefined();
      expect(await bench().value('answer["ready"], answer["content"]')).toBe('(False, 5)');
    });

    test('may be empty when the schema accepts it', async () => {
      expect((await bench().run('FINAL("")')).answer?.json).toBe('""');
      expect((await bench().run('FINAL(None)')).answer?.json).toBe('null');
      await bench().repl.bind({ output: null });
    });
  });

  describe('answers by name', () => {
    test('find data, functions, unbound names and builtins', async () => {
      await bench().run('total = (1, 2)\ndef fn(): pass');
      const { repl } = bench();
      expect(await repl.answer({ kind: 'identifier', name: 'total' })).toEqual({
        kind: 'answer',
        answer: { via: 'final-var', json: '[1, 2]', text: '[1, 2]' },
      });
      expect(await repl.answer({ kind: 'identifier', name: 'fn' })).toEqual({ kind: 'not-data', type: 'function' });
      expect((await repl.answer({ kind: 'identifier', name: 'len' })).kind).toBe('not-data');
      const unbound = await repl.answer({ kind: 'identifier', name: 'nowhere' });
      expect(unbound).toMatchObject({ kind: 'unbound', names: expect.arrayContaining(['total']) });
    });

    test('see a protected name that the last cell overwrote', async () => {
      await bench().run('answer = "the text"');
      const found = await bench().repl.answer({ kind: 'identifier', name: 'answer' });
      expect(found).toMatchObject({ kind: 'answer', answer: { text: 'the text' } });
      await bench().run('1');
    });

    test('evaluate f-strings in the namespace', async () => {
      await bench().run('who = "world"');
      const found = await bench().repl.answer({ kind: 'f-string', source: 'f"hello {who.upper()!r:>9}"' });
      expect(found).toMatchObject({ kind: 'answer', answer: { text: "hello   'WORLD'" } });
      const failed = await bench().repl.answer({ kind: 'f-string', source: 'f"{missing_name}"' });
      expect(failed).toMatchObject({ kind: 'error', error: { type: 'NameError' } });
    });
  });

  describe('continue_with', () => {
    test('ends the cell at once and gives the text', async () => {
      const { ok, continueWith, answer, stdout } = await bench().run('continue_with("summary")\nprint("no")');
      expect(ok).toBe(true);
      expect(continueWith).toBe('summary');
      expect(answer).toBeUndefined();
      expect(stdout.text).toBe('');
    });
  });
}
