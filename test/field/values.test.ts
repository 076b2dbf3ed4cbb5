/** Reports from the field, rows 7 and 8: values keep their digits and their characters on the way out of the REPL. */
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, play, promptOf, rlmOf } from '../engine/harness.ts';

const BIG: readonly (readonly [code: string, digits: string])[] = [
  ['2**60+1', '1152921504606846977'],
  ['-(2**63)-1', '-9223372036854775809'],
  ['2**53+1', '9007199254740993'],
  ['10**30+7', '1000000000000000000000000000007'],
];

describe('whole numbers keep their digits', () => {
  const output = jsonSchema<{ id: unknown }>({
    ...{ type: 'object', required: ['id'] },
    properties: { id: { type: ['integer', 'string'] }, f: { type: 'number' } },
  });

  it.each(BIG)('%s as a typed answer is refused, and taken as a string', async (code, digits) => {
    const root = [cell(`FINAL({"id": ${code}, "f": 0.1})`), cell(`FINAL({"id": str(${code}), "f": 0.1})`)];
    const { result, root: model } = await play({ context: 'x', output, root });
    expect(promptOf(model, 1)).toContain(`id: ${digits} does not fit into a number`);
    expect(promptOf(model, 1)).toContain('declare it as a string');
    expect(result).toMatchObject({ outcome: 'converged', answer: { id: digits, f: 0.1 } });
  });

  it.each([
    ['a variable', `${cell('found = {"id": 2**60+1}')}\nFINAL_VAR(found)`],
    ['written JSON', 'FINAL({"id": 1152921504606846977})'],
    ['SUBMIT', cell('SUBMIT(id=2**60+1)')],
    ['the draft', cell('answer["content"] = {"id": 2**60+1}', 'answer["ready"] = True')],
  ])('also in %s', async (_, reply) => {
    const { root } = await play({ context: 'x', output, root: [cell('print(context)'), reply, 'FINAL({"id": 1})'] });
    expect(promptOf(root, 2)).toContain('id: 1152921504606846977 does not fit into a number');
  });

  it.each(['2**53', '-(2**63)', '2**53-1', '10**22'])('%s, which a number holds, is taken', async (code) => {
    const { result } = await play({ context: 'x', output, root: [cell(`FINAL({"id": ${code}})`)] });
    expect(result.outcome).toBe('converged');
    expect(BigInt((result.answer as { id: number }).id)).toBe(BigInt(result.text.replace(/[^-\d]*(-?\d+)\D*/, '$1')));
  });

  it.each(BIG)('%s in an answer without a type has all its digits', async (code, digits) => {
    const { result } = await play({ context: 'x', root: [cell(`FINAL({"id": [${code}]})`)] });
    expect(result.text).toBe(`{"id": [${digits}]}`);
  });

  it.each([1, 2])('in the typed value of a child they stay in Python, with maxDepth %i', async (maxDepth) => {
    const schema = '{"type": "object", "properties": {"id": {"type": "integer"}}}';
    const root = [cell(`r = rlm_query("id?", "a b", output=${schema})`, 'FINAL([r.ok, r.value["id"] == 2**60+1])')];
    const written = '{"id": 1152921504606846977}';
    const sub = maxDepth === 1 ? [written] : [cell('print(context)'), `FINAL(${written})`];
    const { result } = await play({ context: 'x', limits: { maxDepth }, root, sub });
    expect(result.text).toBe('[true, true]');
  });

  it('arguments of a tool are refused in the cell, and taken as a string', async () => {
    const got: unknown[] = [];
    const tools = { find: Object.assign((args: unknown) => void got.push(args), { description: 'Find an order.' }) };
    const code = [
      'for value in [2**60+1, {"deep": [10**30+7]}, -(2**63)-1]:',
      '    try: find(id=value)',
      '    except TypeError as error: print(error)',
      'find(id=str(2**60+1), page=2**53)',
      'FINAL("done")',
    ];
    const { root, result } = await play({
      ...{ context: 'x', options: { tools } },
      root: [cell(...code.slice(0, -1)), 'FINAL(done)'],
    });
    expect(got).toEqual([{ id: '1152921504606846977', page: 9_007_199_254_740_992 }]);
    expect(promptOf(root, 1)).toContain('id: 1152921504606846977 does not fit into a number');
    expect(promptOf(root, 1)).toContain('id.deep.0: 1000000000000000000000000000007 does not fit');
    expect(promptOf(root, 1).match(/declare it as a string/g)).toHaveLength(3);
    expect(result.answer).toBe('done');
  });

  it('a variable that leaves a session is refused, and taken as a string', async () => {
    await using session = await rlmOf({ model: scriptedModel(['unused']) }).createSession();
    await session.execute('id = 2**60+1\nrows = [{"id": 10**30+7}]\nheld = 2**53\ntext = str(id)');
    for (const name of ['id', 'rows']) {
      await expect(session.getVariable(name)).rejects.toMatchObject({
        ...{ code: 'not-json', message: expect.stringContaining('declare it as a string') },
      });
    }
    expect(await session.getVariable('held')).toBe(2 ** 53);
    expect(await session.getVariable('text')).toBe('1152921504606846977');
  });
});

describe('halves of a character written as escapes are joined', () => {
  it.each([
    ['the answer of code', cell('FINAL("\\ud83c\\udf78 done")'), '🍸 done'],
    ['a variable', `${cell('text = "\\ud83d\\ude00" * 2')}\nFINAL_VAR(text)`, '😀😀'],
    ['a prompt', cell('FINAL(llm_query("\\ud83c\\udf78 a"))'), '🍸 A'],
    ['JSON of an answer', cell('FINAL({"a": ["\\ud83c\\udf78"]})'), '{"a": ["🍸"]}'],
  ])('in %s', async (_, reply, text) => {
    const { result } = await play({ context: 'x', root: [reply] });
    expect(result.text).toBe(text);
  });

  it('in arguments of tools, names of fields and typed answers', async () => {
    const got: unknown[] = [];
    const tools = { keep: Object.assign((args: unknown) => void got.push(args), { description: 'Keep.' }) };
    const output = jsonSchema<Record<string, string>>({ type: 'object' });
    const half = '"\\ud83c\\udf78"';
    const root = [cell(`keep(a=${half}, b={${half}: [${half}]})`, `FINAL({${half}: ${half}})`)];
    const { result } = await play({ context: 'x', output, options: { tools }, root });
    expect(got).toEqual([{ a: '🍸', b: { '🍸': ['🍸'] } }]);
    expect(result.answer).toEqual({ '🍸': '🍸' });
  });

  it('in the context and the query of a child, in a system prompt and in messages', async () => {
    const half = '"\\ud83c\\udf78"';
    const code = [
      `rlm_query(${half}, {"k": ${half}})`,
      `llm_query([{"role": "user", "content": ${half}}], system=${half})`,
      'FINAL("done")',
    ];
    const { sub } = await play({ context: 'x', limits: { maxDepth: 1 }, root: [cell(...code)] });
    const sent = JSON.stringify(sub.requests.map(({ messages }) => messages));
    expect(sent.match(/🍸/g)).toHaveLength(4);
    expect(sent).not.toMatch(/\ufffd|\\u[dD]8/);
  });

  it('in variables, values and output of a session', async () => {
    await using session = await rlmOf({ model: scriptedModel(['unused']) }).createSession();
    const done = await session.execute(
      'glass = {"\\ud83c\\udf78": "\\ud83c\\udf78"}\nprint("\\ud83c\\udf78")\n"\\ud83c\\udf78"',
    );
    expect(done.stdout).toBe('🍸\n');
    expect(done.value).not.toContain('\ufffd');
    expect(await session.getVariable('glass')).toEqual({ '🍸': '🍸' });
    expect((await session.variables()).find(({ name }) => name === 'glass')?.preview).not.toContain('\ufffd');
  });

  it('in printed output', async () => {
    const { root } = await play({ context: 'x', root: [cell('print("\\ud83c\\udf78")'), 'FINAL(x)'] });
    expect(root.requests[1]?.prompt).toContain('| 🍸');
  });
});
