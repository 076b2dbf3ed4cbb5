import { describe, expect, it } from 'vitest';
import { checkJsonSchema } from './check-json-schema.ts';

describe('a JSON Schema that cannot be used', () => {
  it.each([
    [{ type: 5 }, '/type', '5 is not a type'],
    [{ type: 'objct' }, '/type', '"objct" is not a type'],
    [{ type: [] }, '/type', 'is not a type'],
    [{ type: ['string', 'text'] }, '/type', '"text" is not a type'],
    [{ properties: { n: { type: 'int' } } }, '/properties/n/type', '"int" is not a type'],
    [{ items: { anyOf: [{}, { type: 1 }] } }, '/items/anyOf/1/type', 'is not a type'],
    [{ properties: [] }, '/properties', 'an object of schemas'],
    [{ properties: { n: 'string' } }, '/properties/n', 'a schema must be an object'],
    [{ required: 'n' }, '/required', 'a list of property names'],
    [{ enum: 'a' }, '/enum', 'a list of values'],
    [{ minLength: -1 }, '/minLength', 'a whole number'],
    [{ maximum: '5' }, '/maximum', 'a number'],
    [{ pattern: '(' }, '/pattern', 'Invalid regular expression'],
    [{ patternProperties: { '[': {} } }, '/patternProperties', 'Invalid regular expression'],
    [{ allOf: {} }, '/allOf', 'a list of schemas'],
    [{ $ref: '#/$defs/none' }, '/$ref', 'refers to nothing'],
    [{ $ref: 'https://example.com/other.json' }, '/$ref', 'refers to nothing'],
    [{ $ref: 5 }, '/$ref', 'refers to nothing'],
    ['string', '', 'a schema must be an object'],
  ])('%j is refused with its place and the reason', (schema, at, why) => {
    expect(() => checkJsonSchema(schema)).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining(why) }),
    );
    if (at !== '') expect(() => checkJsonSchema(schema)).toThrow(`cannot be used at ${at}:`);
  });

  it.each([
    {},
    { type: ['string', 'null'], title: 'x', description: 5 },
    { type: 'object', properties: { type: { type: 'string' } }, required: ['type'], additionalProperties: false },
    { $ref: '#/$defs/a~1b', $defs: { 'a/b': true } },
    { $ref: '#node', $defs: { n: { $anchor: 'node' } } },
    { $ref: '#' },
    { type: 'array', items: [{ type: 'string' }] },
    { unknownKeyword: { type: 'objct' }, const: { type: 'objct' }, enum: [{ type: 5 }], default: { type: 5 } },
    { $id: 'https://example.com/a', $ref: 'https://example.com/a#/$defs/x', $defs: { x: {} } },
  ])('%j is not refused', (schema) => {
    expect(() => checkJsonSchema(schema)).not.toThrow();
  });

  it('is found at any depth', () => {
    let schema: Record<string, unknown> = { type: 'objct' };
    for (let depth = 0; depth < 50_000; depth++) schema = { not: schema };
    expect(() => checkJsonSchema(schema)).toThrow('"objct" is not a type');
  });
});
