import { describe, expect, it } from 'vitest';
import { CompletionError, type Unfinished } from './engine/result.ts';
import { messageOf, RlmError } from './errors.ts';
import { BudgetError } from './ledger/index.ts';
import { ModelError } from './model/index.ts';

describe('RlmError', () => {
  it('carries its code, flags, data and cause', () => {
    const cause = new Error('socket closed');
    const error = new RlmError({
      code: 'model-failure',
      message: 'failed',
      cause,
      retryable: true,
      data: { status: 503 },
    });
    expect(error).toMatchObject({
      name: 'RlmError',
      code: 'model-failure',
      retryable: true,
      budget: false,
      userAction: false,
    });
    expect(error.data).toEqual({ status: 503 });
    expect(error.cause).toBe(cause);
  });

  it('is known across copies of the package by its marker, and nothing else is', () => {
    class Other extends RlmError {}
    expect(RlmError.isInstance(new Other({ code: 'timeout', message: 'x' }))).toBe(true);
    expect(RlmError.isInstance(new Error('x'))).toBe(false);
    expect(RlmError.isInstance({ code: 'timeout' })).toBe(false);
    expect(RlmError.isInstance(null)).toBe(false);
  });

  it('distinguishes its kinds', () => {
    const budget = new BudgetError({ resource: 'calls', limit: 1, spent: 1, reserved: 0, kept: 0, left: 0, needed: 1 });
    const model = new ModelError({ fault: 'empty', message: 'x' });
    const result = { outcome: 'failed', reason: 'x' } as Unfinished;
    const completion = new CompletionError({ code: 'repl-failure', message: 'x', result, resumable: true });
    const kinds = [RlmError, BudgetError, ModelError, CompletionError];
    const known = [new RlmError({ code: 'timeout', message: 'x' }), budget, model, completion].map((error) =>
      kinds.filter((kind) => kind.isInstance(error)),
    );
    expect(known).toEqual([[RlmError], [RlmError, BudgetError], [RlmError, ModelError], [RlmError, CompletionError]]);
  });

  it('has no enumerable marker that would leak into logs', () => {
    expect(Object.keys(new RlmError({ code: 'timeout', message: 'x' }))).not.toContain('fathom-rlm.error');
  });
});

describe('messageOf', () => {
  it('reads errors and anything else that was thrown', () => {
    expect(messageOf(new Error('a'))).toBe('a');
    expect(messageOf('b')).toBe('b');
  });
});
