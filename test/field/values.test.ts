/** Reports from the field, rows 7 and 8: values keep their digits and their characters on the way out of the REPL. */
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/index.ts';
import { cell, play } from '../engine/harness.ts';

describe('row 7: whole numbers keep their digits', () => {
  const output = jsonSchema<{ n: number | bigint; f: number }>({
    type: 'object',
    properties: { n: { type: 'integer' }, f: { type: 'number' } },
  });
  it.each(['2**60+1', '-(2**63)', '2**53+1', '10**30+7'])('%s in a typed answer', async (n) => {
    const digits = {
      '2**60+1': '1152921504606846977',
      '-(2**63)': '-9223372036854775808',
      '2**53+1': '9007199254740993',
    }[n];
    const { result } = await play<unknown>({ context: 'x', output, root: [cell(`FINAL({"n": ${n}, "f": 0.1})`)] });
    expect(result.text).toContain(digits ?? '1000000000000000000000000000007');
    expect(result.text).toContain('0.1');
  });
});

describe('row 8: halves of a character written as escapes are joined', () => {
  it.each([
    ['the answer of code', cell('FINAL("\\ud83c\\udf78 done")'), '🍸 done'],
    ['a variable', `${cell('text = "\\ud83d\\ude00" * 2')}\nFINAL_VAR(text)`, '😀😀'],
    ['a prompt', cell('FINAL(llm_query("\\ud83c\\udf78 a"))'), '🍸 A'],
    ['JSON of an answer', cell('FINAL({"a": ["\\ud83c\\udf78"]})'), '{"a": ["🍸"]}'],
  ])('in %s', async (_, reply, text) => {
    const { result } = await play({ context: 'x', root: [reply] });
    expect(result.text).toBe(text);
  });

  it('in printed output', async () => {
    const { root } = await play({ context: 'x', root: [cell('print("\\ud83c\\udf78")'), 'FINAL(x)'] });
    expect(root.requests[1]?.prompt).toContain('| 🍸');
  });
});
