import { describe, expect, it } from 'vitest';
import { checkRlmOptions } from './check-rlm-options.ts';
import type { RlmOptions } from './rlm-options.ts';
import { fakeClock } from './test.ts';

const invalid = expect.objectContaining({ code: 'invalid-option', userAction: true });

describe('the options of an Rlm', () => {
  it.each([undefined, null, 'openai/gpt-5', {}, { model: null }])('need a model: %j', (options) => {
    expect(() => checkRlmOptions(options as unknown as RlmOptions)).toThrow(invalid);
  });

  it.each([
    { isolation: 'strong' },
    { prompt: 'Be brief.' },
    { prompt: { instructions: 5 } },
    { store: {} },
    { prices: { m: { input: '1', output: 2 } } },
    { prices: { m: { input: -1, output: 2 } } },
    { allowedModels: 'openai/gpt-5' },
    { requireInspection: 'no' },
    { onEvent: true },
    { clock: {} },
  ])('refuse %j', (option) => {
    const options = { model: 'openai/gpt-5', ...option } as unknown as RlmOptions;
    expect(() => checkRlmOptions(options)).toThrow(invalid);
    expect(() => checkRlmOptions(options)).toThrow(Object.keys(option)[0]);
  });

  it('take what fits', () => {
    const prices = { m: { input: 1, output: 2, cached: 0.1 } };
    expect(() =>
      checkRlmOptions({ model: 'm', prompt: { instructions: 'x' }, prices, clock: fakeClock(), isolation: 'none' }),
    ).not.toThrow();
  });
});
