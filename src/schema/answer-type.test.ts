import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Answer } from '../repl/port.ts';
import { answerType } from './answer-type.ts';
import { jsonSchema } from './json-schema-answer.ts';

const value = (json: string): Answer => ({ via: 'final', json, text: json });

describe('a typed answer', () => {
  const person = answerType(z.object({ name: z.string(), age: z.number() }));

  it('is validated as a value', async () => {
    expect(await person.check(value('{"name":"Ada","age":36}'))).toEqual({ ok: true, value: { name: 'Ada', age: 36 } });
  });

  it('names every wrong field at once', async () => {
    const checked = await person.check(value('{"name":1,"age":"x"}'));
    expect(checked.ok || checked.errors.map((error) => error.split(':')[0])).toEqual(['name', 'age']);
  });

  it('reads a written answer as JSON, and takes bare text for string schemas', async () => {
    expect(await person.checkText('{"name":"Ada","age":36}')).toMatchObject({ ok: true });
    expect(await answerType(z.string()).checkText('plain words')).toEqual({ ok: true, value: 'plain words' });
    expect(await answerType(z.string()).checkText('42')).toEqual({ ok: true, value: '42' });
    expect(await answerType(z.number()).checkText('42')).toEqual({ ok: true, value: 42 });
    expect(await answerType(z.number()).checkText('many')).toMatchObject({ ok: false });
  });

  it('takes the text of a value that is not JSON', async () => {
    expect(await answerType(z.string()).check({ via: 'final', json: null, text: 'a set' })).toEqual({
      ok: true,
      value: 'a set',
    });
  });

  it('reports a schema that throws', async () => {
    const broken = answerType({
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw new Error('bug');
        },
      },
    });
    expect(await broken.checkText('x')).toEqual({ ok: false, errors: ['the output schema itself failed: bug'] });
  });

  it('reports at most a hundred errors of an answer', async () => {
    const type = answerType(jsonSchema({ type: 'array', items: { type: 'string' } }));
    const checked = await type.check(value(JSON.stringify(Array(150).fill(1))));
    expect(checked.ok || checked.errors).toHaveLength(101);
    expect(checked.ok || checked.errors.at(-1)).toBe('… and 50 more');
  });

  it.each([
    ['a pattern that backtracks for ever', { pattern: '^(a+)+$' }, `${'a'.repeat(50)}!`],
    ['items that are compared each with each', { uniqueItems: true }, Array.from({ length: 80_000 }, (_, at) => at)],
  ])(
    'gives up %s, and takes other answers',
    async (_what, schema, answer) => {
      const type = answerType(jsonSchema(schema));
      const checked = await type.check(value(JSON.stringify(answer)));
      expect(checked.ok || checked.errors[0]).toMatch(
        /^the output schema itself failed: checking the answer took longer/,
      );
      expect(await type.check(value('"aaa"'))).toEqual({ ok: true, value: 'aaa' });
    },
    30_000,
  );

  it('knows the schema and the order of its properties', () => {
    expect(person.properties).toEqual(['name', 'age']);
    expect(JSON.parse(person.schemaText)).toMatchObject({ type: 'object' });
  });

  it('gives transformed values', async () => {
    const type = answerType(z.string().transform((text) => text.length));
    expect(await type.checkText('four')).toEqual({ ok: true, value: 4 });
  });

  it('takes any Standard Schema, also one without a JSON Schema', async () => {
    const even = answerType({
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (n) => (typeof n === 'number' && n % 2 === 0 ? { value: n } : { issues: [{ message: 'not even' }] }),
      },
    });
    expect(even.schemaText).toBe('');
    expect(await even.check(value('3'))).toEqual({ ok: false, errors: ['not even'] });
  });
});

describe('jsonSchema', () => {
  const schema = jsonSchema({
    type: 'object',
    properties: { n: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } } },
    required: ['n'],
    additionalProperties: false,
  });

  it('validates, and names the inner errors with their paths', async () => {
    expect(await answerType(schema).check(value('{"n":1}'))).toEqual({ ok: true, value: { n: 1 } });
    const checked = await answerType(schema).check(value('{"n":"x","tags":[1]}'));
    expect(checked.ok || checked.errors.map((error) => error.split(':')[0])).toEqual(['n', 'tags.0']);
  });

  it('keeps the order of its properties', () => {
    expect(answerType(schema).properties).toEqual(['n', 'tags']);
  });
});
