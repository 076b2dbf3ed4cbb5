import { describe, expect, it } from 'vitest';
import { invalidOption } from '../argument-checks.ts';
import { CompletionError, type Unfinished } from '../engine/result.ts';
import { ERROR_TABLE } from '../error-table.ts';
import { RlmError, type RlmErrorCode } from '../errors.ts';
import { ModelError } from '../model/model-error.ts';
import { errorResponse, rpcError } from './error-response.ts';
import { checkMaxTokens, ignoredSettings, modelSettings, refusedParameter } from './parameters.ts';

const thrown = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

/** A run that failed by `cause` after so many calls. */
function failed(cause: RlmError, calls: number): CompletionError {
  return new CompletionError({
    ...{ code: cause.code, message: cause.message, cause, retryable: cause.retryable, data: cause.data },
    result: { runId: 'R1', usage: { calls } } as Unfinished,
    resumable: true,
  });
}

describe('an error as a response', () => {
  it('has the row of its code, for every code', () => {
    for (const [code, row] of Object.entries(ERROR_TABLE)) {
      const error = new RlmError({ code: code as RlmErrorCode, message: 'Why.' });
      expect(errorResponse(error)).toEqual({
        status: row.status,
        headers: { 'x-should-retry': 'false' },
        body: {
          error: { message: 'Why.', type: row.type, code: row.envelopeCode ?? code, param: row.param ?? null },
        },
      });
      expect(rpcError(error)).toEqual({ code: row.rpc, message: 'Why.', data: { code, retryable: false } });
    }
  });

  it('says when to try again', () => {
    const error = new RlmError({ code: 'overloaded', message: 'm', retryable: true, data: { retryAfterMs: 1_234.5 } });
    expect(errorResponse(error)).toMatchObject({
      status: 429,
      headers: { 'x-should-retry': 'true', 'retry-after': '2', 'retry-after-ms': '1235' },
    });
    expect(rpcError(error)).toMatchObject({ code: -32_010, data: { retryable: true, retryAfterMs: 1_234.5 } });
  });

  it('asks for no second try of a run that has spent', () => {
    const limited = new ModelError({ fault: 'rate-limit', message: 'm', retryAfterMs: 3_000 });
    expect(errorResponse(failed(limited, 0)).headers).toMatchObject({ 'x-should-retry': 'true', 'retry-after': '3' });
    expect(errorResponse(failed(limited, 1)).headers).toMatchObject({
      ...{ 'x-should-retry': 'false', 'retry-after': '3', 'x-fathom-run-id': 'R1' },
    });
    expect(rpcError(failed(limited, 1)).data).toMatchObject({ retryable: false, runId: 'R1', fault: 'rate-limit' });
  });

  it('names the parameter that the error names', () => {
    const param = (error: unknown): unknown => errorResponse(error).body.error.param;
    expect(param(refusedParameter('n'))).toBe('n');
    expect(param(thrown(() => checkMaxTokens('max_tokens', 0)))).toBe('max_tokens');
    expect(param(new RlmError({ code: 'invalid-limit', message: 'm', data: { limit: 'maxTurns' } }))).toBe('maxTurns');
    expect(param(invalidOption('m'))).toBe(null);
  });

  it('says nothing of an error that is not one of Fathom', () => {
    const error = new TypeError('/home/me/secret is not a function');
    expect(JSON.stringify([errorResponse(error), rpcError(error)])).not.toContain('secret');
    expect(errorResponse(error).status).toBe(500);
    expect(rpcError(error).code).toBe(-32_603);
  });
});

describe('parameters', () => {
  it('warn where they have no effect', () => {
    expect(ignoredSettings({ topP: 0.5, topK: undefined, seed: null, stop: [] })).toEqual([
      { setting: 'topP', message: 'topP has no effect: the root model is asked with its own default.' },
      { setting: 'stop', message: 'stop has no effect: the root model is asked with its own default.' },
    ]);
  });

  it('go to the root model where it has them', () => {
    expect(modelSettings({})).toBeUndefined();
    expect(modelSettings({ temperature: 0 })).toEqual({ root: { temperature: 0 } });
    expect(modelSettings({ reasoningEffort: 'low' })).toEqual({ root: { reasoningEffort: 'low' } });
  });

  it('are refused with their name and a reason', () => {
    for (const name of ['tools', 'n', 'logprobs', 'audio'] as const) {
      expect(refusedParameter(name)).toMatchObject({ code: 'invalid-option', userAction: true, data: { param: name } });
      expect(refusedParameter(name).message).toMatch(new RegExp(`^The parameter ${name} cannot be used: .+\\.$`));
    }
    for (const wrong of [0, -1, 1.5, '5', null, Number.POSITIVE_INFINITY]) {
      expect(() => checkMaxTokens('max_tokens', wrong)).toThrow(/max_tokens cannot be used/);
    }
    checkMaxTokens('max_tokens', undefined);
    checkMaxTokens('max_tokens', 1);
  });
});
