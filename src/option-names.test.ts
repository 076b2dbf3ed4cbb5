import { describe, expect, it } from 'vitest';
import { checkOptionNames, nearest } from './option-names.ts';

describe('nearest', () => {
  it.each([
    ['limit', 'limits'],
    ['Limits', 'limits'],
    ['contxt', 'context'],
    ['submodel', 'subModel'],
    ['maxCostUSD', 'maxCostUsd'],
  ])('finds %s to be %s', (name, meant) => {
    expect(nearest(name, ['limits', 'context', 'subModel', 'maxCostUsd', 'model'])).toBe(meant);
  });

  it('finds nothing for a name that is like none', () => {
    expect(nearest('temperature', ['limits', 'context'])).toBeUndefined();
    expect(nearest('x', ['limits', 'context'])).toBeUndefined();
  });
});

describe('checkOptionNames', () => {
  it('accepts what is known, also when it is undefined', () => {
    expect(() => checkOptionNames<{ a?: number }>('f', { a: undefined }, { a: true })).not.toThrow();
  });

  it('lists the options where none is close', () => {
    expect(() => checkOptionNames<{ query: string }>('completion', { temperature: 1 }, { query: true })).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: 'completion has no option temperature. The options are query.',
      }),
    );
  });
});
