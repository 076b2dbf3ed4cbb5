import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from './route.ts';

describe('the route that auto takes', () => {
  it.each([
    // Context, everything, window.
    [0, 200, 8_000, 'direct'],
    [2_800, 3_000, 8_000, 'direct'],
    [2_801, 3_000, 8_000, 'loop'],
    [8_000, 8_200, 8_000, 'loop'],
    [1_000_000, 1_000_200, 1_000_000, 'loop'],
    [350_000, 350_200, 1_000_000, 'direct'],
    [350_001, 350_200, 1_000_000, 'loop'],
    // The query is most of it: the loop would send it as well.
    [1_000, 7_000, 8_000, 'direct'],
    [2_700, 6_401, 8_000, 'direct'],
    [0, 9_000, 8_000, 'direct'],
    [1, 1, 0, 'loop'],
  ] as const)('with a context of %i tokens of %i in a window of %i is %s', (context, tokens, window, chosen) => {
    const route = judge({ context, tokens, window });
    expect(route.chosen).toBe(chosen);
    if (route.chosen === 'loop') expect(route.reason).toContain(String(window));
  });

  it('is the loop for good once the context is large enough, whatever else is sent', () => {
    const size = fc.integer({ min: 0, max: 200_000 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 100_000 }), fc.nat(10_000), (context, more, window, other) => {
        const at = (tokens: number): string => judge({ context: tokens, tokens: tokens + other, window }).chosen;
        if (at(context) === 'loop') expect(at(context + more)).toBe('loop');
      }),
    );
  });
});
