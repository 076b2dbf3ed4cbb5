import { describe, expect, it } from 'vitest';
import { createRlm, type ModelPrice } from '../../src/index.ts';
import { cell, checkEvents, playToFailure, start } from './harness.ts';

describe('stopping', () => {
  it('cancel stops a hung cell at once, with what was gained', async () => {
    const { run, events } = start({
      context: 'x',
      root: [cell('answer["content"] = "draft"'), cell('while True: pass')],
    });
    for await (const event of run) if (event.type === 'cell.started' && event.turn === 2) break;
    run.cancel('enough');
    const error = await Promise.resolve(run).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({
      code: 'cancelled',
      result: { outcome: 'aborted', stop: 'cancelled', text: 'draft', reason: 'enough' },
    });
    expect(checkEvents(events)).toEqual([]);
  });

  it('an aborted signal is a cancel', async () => {
    const control = new AbortController();
    control.abort();
    const { error, events } = await playToFailure({ context: 'x', signal: control.signal, root: ['FINAL(1)'] });
    expect(error.code).toBe('cancelled');
    expect(checkEvents(events)).toEqual([]);
  });

  it('finish asks for the best answer now', async () => {
    const { run } = start({
      context: 'x',
      root: ({ prompt }) => (prompt.includes('best answer now') ? 'FINAL(so far)' : cell('while True: pass')),
    });
    for await (const event of run) if (event.type === 'cell.started') break;
    run.finish();
    expect(await run).toMatchObject({ outcome: 'exhausted', stop: 'finish-requested', answer: 'so far' });
  });

  it('a model that cannot be used fails the run with what was gained', async () => {
    const { error, result } = await playToFailure({
      context: 'x',
      root: [cell('answer["content"] = "draft"'), new Error('broken')],
    });
    expect(error).toMatchObject({ code: 'model-failure', resumable: true });
    expect(result).toMatchObject({ outcome: 'failed', stop: 'model-failure', text: 'draft', turns: 1 });
  });

  it.each([
    [{ output: { type: 'object' } as never }, 'invalid-option', 'jsonSchema'],
    [{ options: { model: {} as never } }, 'model-not-found', 'doStream'],
    [{ options: { model: 5 as never } }, 'model-not-found', 'number'],
  ])('an invalid schema or model is reported as such: %j', async (wrong, code, says) => {
    const { error, result } = await playToFailure({ root: ['FINAL(x)'], ...wrong });
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
    expect(result).toMatchObject({ outcome: 'failed', turns: 0 });
  });

  it.each([{ input: -1, output: 1 }, { input: 1 }, { input: 1, output: Number.NaN }])(
    'an invalid price is refused: %j',
    (price) => {
      const options = { model: 'openai/gpt-5', prices: { 'openai/gpt-5': price as ModelPrice } };
      expect(() => createRlm(options)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    },
  );

  it('a missing key is found before anything starts', async () => {
    const { error } = await playToFailure({ context: 'x', root: [], options: { model: 'openai/gpt-5' } });
    expect(error.code).toBe('missing-key');
  });
});
