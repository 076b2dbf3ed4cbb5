import { describe, expect, it } from 'vitest';
import { RlmError } from './errors.ts';
import { DEFAULT_LIMITS, defaultMaxRepls, type Limits, maxSessionsOf, resolveLimits } from './limits.ts';

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return RlmError.isInstance(error) ? error.code : String(error);
  }
}

describe('resolveLimits', () => {
  it('gives the defaults for nothing', () => {
    expect(resolveLimits()).toEqual(DEFAULT_LIMITS);
  });

  it('lets a part override the rest', () => {
    expect(resolveLimits({ maxTurns: 3 })).toEqual({ ...DEFAULT_LIMITS, maxTurns: 3 });
  });

  it('keeps the defaults for values that are undefined', () => {
    expect(resolveLimits({ maxTurns: undefined } as unknown as Partial<Limits>)).toEqual(DEFAULT_LIMITS);
  });

  it('never lets sub-calls say more than the root by default', () => {
    expect(resolveLimits({ maxOutputTokens: 1_000 }).maxSubCallOutputTokens).toBe(1_000);
    expect(resolveLimits({ maxOutputTokens: 1_000, maxSubCallOutputTokens: 4_000 }).maxSubCallOutputTokens).toBe(4_000);
  });

  it.each([
    ['an unknown name', { maxTurn: 3 }],
    ['a negative number', { maxTurns: -1 }],
    ['zero where nothing could run', { maxTurns: 0 }],
    ['a fraction of a turn', { maxTurns: 1.5 }],
    ['no number', { maxTurns: '3' }],
    ['NaN', { maxTokens: Number.NaN }],
    ['no object', 5],
    ['null', null],
  ])('refuses %s', (_, limits) => {
    expect(codeOf(() => resolveLimits(limits as unknown as Partial<Limits>))).toBe('invalid-limit');
  });

  it.each([{ maxDepth: 0 }, { maxSubCalls: 0 }, { maxCostUsd: 0.5 }, { maxTokens: Number.POSITIVE_INFINITY }])(
    'takes %o',
    (limits) => {
      expect(resolveLimits(limits)).toMatchObject(limits);
    },
  );
});

describe('defaultMaxRepls', () => {
  const GIB = 1024 ** 3;

  it('is what half the memory holds, where cores are many', () => {
    expect(defaultMaxRepls({ memoryBytes: 3 * GIB, cores: 64 })).toBe(8);
  });

  it('is what the cores can serve, where memory is plenty', () => {
    expect(defaultMaxRepls({ memoryBytes: 1024 * GIB, cores: 2 })).toBe(64);
  });

  it('leaves room for sessions on the smallest machine', () => {
    expect(maxSessionsOf(defaultMaxRepls({ memoryBytes: GIB / 4, cores: 1 }))).toBe(2);
  });

  it('is a number on this machine', () => {
    expect(defaultMaxRepls()).toBeGreaterThanOrEqual(4);
  });
});
