import { describe, expect, it } from 'vitest';
import { TurnLimits } from './complete.ts';
import type { TurnCounts } from './turn-record.ts';

const LIMITS = { maxTurns: 100, maxConsecutiveErrors: 3, maxEmptyTurns: 2, maxRepairs: 3 };
const FINE: TurnCounts = {
  ran: 1,
  cellsOk: 1,
  cellsFailed: 0,
  refusedAnswer: false,
  form: '',
  invalidAnswers: [],
  subCallsSent: 0,
  refusals: new Map(),
  queryRefused: false,
};

function stops(turns: readonly Partial<TurnCounts>[], limits: typeof LIMITS = LIMITS): (string | undefined)[] {
  const turnLimits = new TurnLimits(limits);
  return turns.map((turn, index) => turnLimits.count({ ...FINE, ...turn }, index + 1)?.stop);
}

describe('limits on turns', () => {
  it('end the run after the last turn', () => {
    expect(stops([{}, {}], { ...LIMITS, maxTurns: 2 })).toEqual([undefined, 'max-turns']);
  });

  it('count turns in which cells failed and none succeeded', () => {
    const failed = { cellsOk: 0, cellsFailed: 1 };
    expect(stops([failed, failed, failed])).toEqual([undefined, undefined, 'error-limit']);
    expect(stops([failed, failed, { cellsFailed: 1 }, failed])).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('count empty turns in a row; a refused answer does not count', () => {
    const empty = { ran: 0, cellsOk: 0 };
    expect(stops([empty, empty])).toEqual([undefined, 'no-code']);
    expect(stops([empty, { ...empty, refusedAnswer: true }, empty])).toEqual([undefined, undefined, undefined]);
  });

  it('begin to count empty turns again once for each other form', () => {
    const [prose, call] = ['prose', 'tool-call'].map((form) => ({ ran: 0, cellsOk: 0, form }));
    expect(stops([prose ?? {}, call ?? {}, call ?? {}])).toEqual([undefined, undefined, 'no-code']);
    expect(stops([prose ?? {}, call ?? {}, prose ?? {}])).toEqual([undefined, undefined, 'no-code']);
  });

  it('say which reply would be one too many', () => {
    const limits = new TurnLimits({ ...LIMITS, maxEmptyTurns: 3 });
    const chances = [{ ran: 0, cellsOk: 0 }, { ran: 0, cellsOk: 0 }, {}, { cellsOk: 0, cellsFailed: 1 }];
    const failed = { cellsOk: 0, cellsFailed: 1 };
    const seen = [...chances, failed].map((turn, index) => {
      limits.count({ ...FINE, ...turn }, index + 1);
      return limits.lastChance();
    });
    expect(seen).toEqual([undefined, 'empty', undefined, undefined, 'failed']);
  });

  it('count answers that did not fit, in a row', () => {
    const wrong = { invalidAnswers: [['n: expected number']], refusedAnswer: true };
    expect(stops([wrong, wrong, wrong])).toEqual([undefined, undefined, 'error-limit']);
    expect(stops([wrong, wrong, {}, wrong])).toEqual([undefined, undefined, undefined, undefined]);
    expect(new TurnLimits({ ...LIMITS, maxRepairs: 1 }).count({ ...FINE, ...wrong }, 1)?.reason).toContain(
      'n: expected number',
    );
  });

  it('end the run when a query in the text was refused, or when two turns brought nothing but refusals', () => {
    const refused = { refusals: new Map([['calls' as const, 3]]) };
    expect(stops([{ ...refused, queryRefused: true }])).toEqual(['call-limit']);
    expect(stops([refused, refused])).toEqual([undefined, 'call-limit']);
    expect(stops([refused, { ...refused, subCallsSent: 1 }, refused])).toEqual([undefined, undefined, undefined]);
    const tokens = { refusals: new Map([['tokens' as const, 3]]) };
    expect(stops([tokens, tokens])).toEqual([undefined, 'token-limit']);
  });
});
