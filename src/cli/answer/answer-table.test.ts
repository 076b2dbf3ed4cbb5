import { describe, expect, test } from 'vitest';
import { parseWithDigits } from '../../json-digits.ts';
import { jsonSchema } from '../../schema/json-schema-answer.ts';
import { checkAnswerFormat } from './answer-format.ts';
import { writtenAs } from './answer-table.ts';

const list = (properties: object) => ({ type: 'array', items: { type: 'object', properties } });
const textOf = (answer: unknown, format: 'csv' | 'jsonl', schema?: Readonly<Record<string, unknown>>): string => {
  const written = writtenAs(answer, format, schema);
  return written.fits ? [...written.pieces].join('') : `refused: ${written.why}`;
};

describe('CSV', () => {
  test.each([
    ['plain values', [{ a: 1, b: 'x', c: true, d: null }], 'a,b,c,d\n1,x,true,\n'],
    ['signs of CSV, line ends and blanks at the ends', [{ a: 'x,"y"\r\nz', b: ' p ' }], 'a,b\n"x,""y""\r\nz"," p "\n'],
    ['an empty text is not a missing one', [{ a: '', b: 1 }, { b: 2 }], 'a,b\n"",1\n,2\n'],
    ['a row without any value is not an empty line', [{ a: null }], 'a\n""\n'],
    ['columns that appear late', [{ a: 1 }, { b: 2 }], 'a,b\n1,\n,2\n'],
    [
      'names of columns with commas, and those of prototypes',
      [{ 'a,b': 1, constructor: 2 }],
      '"a,b",constructor\n1,2\n',
    ],
    ['names of prototypes that are missing', [{ a: 1 }, { toString: 's' }], 'a,toString\n1,\n,s\n'],
    ['integers with all digits', parseWithDigits('[{"id":1152921504606846977}]'), 'id\n1152921504606846977\n'],
    ['no rows', [], ''],
  ])('%s', (_, answer, text) => expect(textOf(answer, 'csv')).toBe(text));

  test('has the columns of the schema in its order, also without rows', () => {
    const schema = list({ b: { type: 'string' }, a: { type: 'integer' } });
    expect(textOf([], 'csv', schema)).toBe('b,a\n');
    expect(textOf([{ a: 1, c: 2, b: 'x' }], 'csv', schema)).toBe('b,a,c\nx,1,2\n');
  });

  test.each([
    ['an object', { a: 1 }, 'the answer is not a list'],
    ['texts', [{ a: 1 }, 'b'], 'item 2 of the answer is not an object'],
    ['lists', [[1]], 'item 1 of the answer is not an object'],
    ['numbers with all digits', parseWithDigits('[1152921504606846977]'), 'item 1 of the answer is not an object'],
    ['nested values', [{ a: 1, tags: ['x'] }], 'item 1 of the answer has a list or an object in "tags"'],
  ])('refuses %s', (_, answer, why) => expect(textOf(answer, 'csv')).toBe(`refused: ${why}`));
});

test('JSON lines hold every list, an item a line', () => {
  expect(textOf([{ a: ['x\n'] }, 2], 'jsonl')).toBe('{"a":["x\\n"]}\n2\n');
  expect(textOf({ a: 1 }, 'jsonl')).toBe('refused: the answer is not a list');
});

describe('before the run', () => {
  const check = (output: string, schema: Readonly<Record<string, unknown>>) => () =>
    checkAnswerFormat({ output }, jsonSchema(schema));
  const recursive = {
    $defs: { row: { type: 'object', properties: { next: { $ref: '#/$defs/row' } } } },
    type: 'array',
    items: { $ref: '#/$defs/row' },
  };

  test.each<[string, string, Readonly<Record<string, unknown>>, string]>([
    ['an object', 'x.csv', { type: 'object' }, 'not a list'],
    ['an object in JSON lines', 'x.JSONL', { type: 'object' }, 'not a list'],
    ['two kinds of which neither is a list', 'x.csv', { anyOf: [{ type: 'object' }, { type: 'null' }] }, 'not a list'],
    ['enumerated texts', 'x.ndjson', { enum: ['a', 'b'] }, 'not a list'],
    ['texts', 'x.csv', { type: 'array', items: { type: 'string' } }, 'items of the answer are not objects'],
    ['nested lists', 'x.csv', list({ tags: { type: 'array' } }), 'lists or objects in "tags"'],
    ['nested values by reference', 'x.csv', recursive, 'lists or objects in "next"'],
    ['a part of allOf', 'x.csv', { allOf: [{}, { type: 'string' }] }, 'not a list'],
  ])('refuses %s', (_, path, schema, why) => expect(check(path, schema)).toThrow(why));

  test.each<[string, string, Readonly<Record<string, unknown>>]>([
    ['a list of plain objects', 'x.csv', list({ a: { type: ['string', 'null'] }, b: { enum: [1, 2] } })],
    ['a list or null', 'x.csv', { anyOf: [list({}), { type: 'null' }] }],
    ['what the schema leaves open', 'x.csv', {}],
    ['items that may be nested', 'x.csv', list({ a: { anyOf: [{ type: 'array' }, { type: 'string' }] } })],
    ['a schema that refers to itself', 'x.csv', { $ref: '#' }],
    ['every list in JSON lines', 'x.jsonl', { type: 'array', items: { type: 'string' } }],
    ['everything in JSON and text', 'x.txt', { type: 'object' }],
  ])('takes %s', (_, path, schema) => expect(check(path, schema)).not.toThrow());

  test('refuses --json in a CSV file', () => {
    expect(() => checkAnswerFormat({ output: 'x.csv', json: true }, undefined)).toThrow('--json writes one object');
  });
});
