import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens, textWithin } from '../model/estimate-tokens.ts';
import { doorAnswer, withAnswerBound } from './answer.ts';

describe('an answer', () => {
  it('is whole where nothing bounds it', () => {
    expect(doorAnswer({ text: 'a'.repeat(100_000), outcome: 'converged' })).toEqual({
      ...{ text: 'a'.repeat(100_000), finish: 'stop' },
    });
    expect(doorAnswer({ text: 'abcd', outcome: 'converged' }, 1)).toEqual({ text: 'abcd', finish: 'stop' });
  });

  it('is cut at the tokens that the client allows, with the reason `length`', () => {
    expect(doorAnswer({ text: 'abcde', outcome: 'converged' }, 1)).toEqual({ text: 'abcd', finish: 'length' });
    expect(doorAnswer({ text: '漢字', outcome: 'converged' }, 1)).toEqual({ text: '漢', finish: 'length' });
  });

  it('of a run that a limit ended has the reason `length`', () => {
    expect(doorAnswer({ text: 'draft', outcome: 'exhausted' })).toEqual({ text: 'draft', finish: 'length' });
  });

  it('has a bound that the model knows of', () => {
    expect(withAnswerBound('Be kind.')).toBe('Be kind.');
    expect(withAnswerBound('Be kind.', 50)).toMatch(/^Be kind\.\n\nThe final answer may have at most 50 tokens/);
    expect(withAnswerBound(undefined, 50)).toMatch(/^The final answer may have at most 50 tokens/);
  });
});

describe('the beginning of a text within so many tokens', () => {
  const anyText = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀', '\n'), maxLength: 200 });

  it('fits, cuts no character in two, and is as long as it can be', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 60 }), (text, tokens) => {
        const head = textWithin(text, tokens);
        expect(text.startsWith(head)).toBe(true);
        expect(head.isWellFormed()).toBe(true);
        expect(estimateTokens(head)).toBeLessThanOrEqual(tokens);
        const next = [...text.slice(head.length)][0];
        if (next !== undefined) expect(estimateTokens(head + next)).toBeGreaterThan(tokens);
      }),
    );
  });
});
