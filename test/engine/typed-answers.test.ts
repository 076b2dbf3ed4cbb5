import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cell, play, promptOf } from './harness.ts';

const Person = z.object({ name: z.string(), age: z.number() });

describe('a typed answer', () => {
  it('wrong twice, then right: converged with the typed value', async () => {
    const { result, root } = await play({
      context: 'Ada, 36',
      output: Person,
      root: [
        cell('FINAL({"name": 1, "age": "x"})'),
        cell('FINAL({"name": "Ada"})'),
        cell('FINAL({"name": "Ada", "age": 36})'),
      ],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: { name: 'Ada', age: 36 } });
    expect(promptOf(root, 1)).toContain('name');
    expect(promptOf(root, 1)).toContain('age');
  });

  it('never right: exhausted, the errors in the reason, the text kept', async () => {
    const { result } = await play({
      context: 'Ada, 36',
      output: Person,
      root: [cell('1'), 'FINAL({"name": 1})', 'FINAL({"name": 2})', 'FINAL({"name": 3})', 'FINAL({"name": 4})'],
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'error-limit', answer: undefined, text: '{"name": 4}' });
    expect(result.outcome === 'exhausted' && result.reason).toContain('age');
  });

  it('written as text is read as JSON', async () => {
    const { result } = await play({
      context: 'Ada',
      output: Person,
      root: [cell('print(context)'), 'FINAL({"name": "Ada", "age": 36})'],
    });
    expect(result.answer).toEqual({ name: 'Ada', age: 36 });
  });

  it('by SUBMIT takes fields by name or in schema order', async () => {
    const named = await play({ context: 'Ada', output: Person, root: [cell('SUBMIT(name="Ada", age=36)')] });
    expect(named.result.answer).toEqual({ name: 'Ada', age: 36 });
    const positional = await play({ context: 'Ada', output: Person, root: [cell('SUBMIT("Ada", 36)')] });
    expect(positional.result.answer).toEqual({ name: 'Ada', age: 36 });
  });

  it('by the answer dictionary is checked at the end of the cell', async () => {
    const { result } = await play({
      context: 'Ada',
      output: Person,
      root: [
        cell('answer["content"] = {"name": "Ada"}', 'answer["ready"] = True'),
        cell('answer["content"] = {"name": "Ada", "age": 36}', 'answer["ready"] = True'),
      ],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: { name: 'Ada', age: 36 }, turns: 2 });
  });

  it('may be empty where the schema says so', async () => {
    const { result } = await play({ context: 'Ada', output: z.array(z.string()), root: [cell('FINAL([])')] });
    expect(result.answer).toEqual([]);
  });
});

describe('an output schema of a cell that cannot be used', () => {
  it.each([1, 2])('is refused before anything is paid, with maxDepth %i', async (maxDepth) => {
    const ask = (schema: string): string => `r = rlm_query("q", output=${schema})\nprint(r.ok, r.error)`;
    const { result, sub, root } = await play({
      limits: { maxDepth },
      root: [cell(ask('{"type": 5}')), cell(ask('{"properties": {"n": {"type": "objct"}}}')), cell('FINAL("done")')],
      sub: () => 'FINAL(1)',
    });
    expect(result).toMatchObject({ outcome: 'converged', usage: { calls: 3 } });
    expect(sub.requests).toHaveLength(0);
    expect(promptOf(root, 1)).toContain('cannot be used at /type: 5 is not a type');
    expect(promptOf(root, 2)).toContain('cannot be used at /properties/n/type');
  });

  it('is not refused where it is right: the control', async () => {
    const { sub } = await play({
      root: [cell('r = rlm_query("q", output={"type": "integer"})\nFINAL(r.value)')],
      sub: () => '7',
    });
    expect(sub.requests).toHaveLength(1);
  });
});
