import { describe, expect, it } from 'vitest';
import { CompletionError, createRlm, memoryStore, RlmError, type RunEvent, type Store } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';

type Part = 'runs.put' | 'runs.get' | 'events.append' | 'journal.append';

/** A store of which one part refuses everything from its n-th call on, in one of the two ways a promise can. */
function failing(part: Part, from: number, how: 'throws' | 'rejects'): Store {
  const store = memoryStore();
  const [section, method] = part.split('.') as ['runs', 'put'];
  const own = store[section];
  const work = own[method].bind(own) as (...args: unknown[]) => unknown;
  let calls = 0;
  const refusing = (...args: unknown[]): unknown => {
    if (++calls < from) return work(...args);
    const error = new RlmError({ code: 'store-failure', message: 'The disk is full.' });
    if (how === 'throws') throw error;
    return Promise.reject(error);
  };
  return replaced(store, section, replaced(own, method, refusing));
}

/** An object with one property replaced, its methods still bound to itself. */
function replaced<T extends object>(object: T, name: keyof T, value: unknown): T {
  return new Proxy(object, {
    get: (target, key) => {
      if (key === name) return value;
      const own = Reflect.get(target, key);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

describe('a store that fails', () => {
  /** A record is read and written twice in a run, its events and steps more often. */
  const cases = [
    ...(['runs.put', 'runs.get'] as const).flatMap((part) => [1, 2].map((from) => ({ part, from }))),
    ...(['events.append', 'journal.append'] as const).flatMap((part) => [1, 2, 5].map((from) => ({ part, from }))),
  ].flatMap((fault) => (['throws', 'rejects'] as const).map((how) => ({ ...fault, how })));

  it.each(cases)(
    'from its call $from of $part on ($how) ends the run with what was gained',
    async ({ part, from, how }) => {
      const events: RunEvent[] = [];
      // Events that such a store has not taken are not shown, so the numbers have gaps.
      await using rlm = createRlm({
        model: scriptedModel([cell('print(llm_query("a"))'), 'FINAL(x)']),
        subModel: scriptedModel(() => 'b'),
        store: failing(part, from, how),
        onEvent: (event) => events.push(event),
      });
      const end = await Promise.resolve(rlm.completion({ query: 'q', context: 'text' })).catch(
        (error: unknown) => error,
      );
      expect(end).toBeInstanceOf(CompletionError);
      expect(end).toMatchObject({
        code: 'store-failure',
        // Without a record there is nothing to resume.
        resumable: !(part.startsWith('runs') && from === 1),
        result: { usage: { calls: expect.any(Number) } },
      });
      expect(events.filter(({ type }) => type === 'run.completed')).toHaveLength(1);
    },
  );

  it('keeps an answer that was there already', async () => {
    const rlm = rlmOf({ model: scriptedModel(['FINAL(x)']), store: failing('runs.put', 2, 'rejects') });
    await expect(Promise.resolve(rlm.completion({ query: 'q' }))).rejects.toMatchObject({ result: { text: 'x' } });
  });

  it('because its Rlm is closed: the run is cancelled', async () => {
    const rlm = rlmOf({ model: scriptedModel(['FINAL(x)']) });
    await rlm.close();
    await expect(Promise.resolve(rlm.completion({ query: 'q' }))).rejects.toMatchObject({
      code: 'cancelled',
      result: { outcome: 'aborted' },
    });
    const resumed = rlm.resume('01M8DVTK8B4BA9Z9VB2VNDCWTE');
    await expect(Promise.resolve(resumed)).rejects.toMatchObject({ code: 'session-closed' });
  });
});
