/** Pausing a run, the owner in its record, and the figures of `rlm.status()`: what doors need of the engine. */
import { describe, expect, it } from 'vitest';
import { CompletionError, memoryStore, type RlmError } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';

const ROOT = [cell('a = llm_query("first")', 'b = llm_query("second")', 'FINAL(a + " " + b)')];
const OWNER = { door: 'server', name: 'alice', detached: true };

/** A sub-model whose `second` waits until the test lets it go. */
function blocking() {
  const reached = Promise.withResolvers<void>();
  const asked: string[] = [];
  let waits = true;
  const model = scriptedModel(
    async ({ prompt, signal }) => {
      asked.push(prompt);
      if (prompt === 'second' && waits) {
        reached.resolve();
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      }
      return prompt.toUpperCase();
    },
    { modelId: 'sub' },
  );
  return {
    ...{ model, asked, reached: reached.promise },
    release: () => {
      waits = false;
    },
  };
}

async function failureOf(run: PromiseLike<unknown>): Promise<CompletionError> {
  const failure = await Promise.resolve(run).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!CompletionError.isInstance(failure)) throw new Error('a CompletionError was expected');
  return failure;
}

describe('a run that is paused', () => {
  it('is resumed from its record, and its answered calls are not paid again', async () => {
    const store = memoryStore();
    const sub = blocking();
    const rlm = rlmOf({ model: scriptedModel(ROOT, { modelId: 'root' }), subModel: sub.model, store });
    const run = rlm.completion({ query: 'go', context: 'text', owner: OWNER });
    await sub.reached;
    run.pause('the server shuts down');
    const error = await failureOf(run);
    expect(error).toMatchObject({ code: 'cancelled', resumable: true, result: { outcome: 'aborted' } });
    expect(await store.runs.get(run.id)).toMatchObject({ status: 'paused', owner: OWNER });

    sub.release();
    const { text } = await rlm.resume(run.id);
    expect(text).toBe('FIRST SECOND');
    expect(sub.asked).toEqual(['first', 'second', 'second']);
    expect(await store.runs.get(run.id)).toMatchObject({ status: 'completed', owner: OWNER });
    const ends = (await store.events.read(run.id)).filter(({ type }) => type === 'run.completed');
    expect(ends).toMatchObject([{ outcome: 'converged' }]);
  });

  it('is resumable while it waits for its REPL, and a cancelled one is not', async () => {
    const store = memoryStore();
    const sub = blocking();
    const root = scriptedModel([...ROOT, ...ROOT], { modelId: 'root' });
    const rlm = rlmOf({ model: root, subModel: sub.model, store, maxRepls: 1 });
    const first = rlm.completion({ query: 'go', context: 'text' });
    await sub.reached;
    const queued = rlm.completion({ query: 'go', context: 'text' });
    for await (const event of queued) if (event.type === 'run.queued') break;
    expect(rlm.status()).toMatchObject({ maxRepls: 1, repls: 1, queued: 1, runs: 2 });
    queued.pause();
    expect((await failureOf(queued)).resumable).toBe(true);
    expect(await store.runs.get(queued.id)).toMatchObject({ status: 'paused' });
    first.cancel();
    expect((await failureOf(first)).resumable).toBe(false);
    expect(await store.runs.get(first.id)).toMatchObject({ status: 'aborted' });
  });

  it('is cancelled where it belongs to a session', async () => {
    const sub = blocking();
    const rlm = rlmOf({ model: scriptedModel(ROOT, { modelId: 'root' }), subModel: sub.model, maxRepls: 2 });
    const session = await rlm.createSession({ owner: OWNER });
    const run = session.completion({ query: 'go', context: 'text' });
    await sub.reached;
    run.pause();
    expect((await failureOf(run)).resumable).toBe(false);
    expect(session.status().state).toBe('ready');
    await session.close();
  });
});

it('an invalid owner is refused', async () => {
  const rlm = rlmOf({ model: scriptedModel([], { modelId: 'root' }) });
  const owner = { door: 'server', name: 'alice' } as unknown as typeof OWNER;
  expect((await failureOf(rlm.completion({ query: 'go', owner }))).code).toBe('invalid-option');
  await expect(rlm.createSession({ owner })).rejects.toMatchObject({ code: 'invalid-option' });
});

it('the status has the figures that a refusal names', async () => {
  const sub = blocking();
  const rlm = rlmOf({
    ...{ model: scriptedModel(ROOT, { modelId: 'root' }), subModel: sub.model },
    ...{ maxRepls: 1, maxQueuedRuns: 0 },
  });
  const first = rlm.completion({ query: 'go', context: 'text' });
  await sub.reached;
  const refused: RlmError = await failureOf(rlm.completion({ query: 'go', context: 'text' }));
  const { maxRepls, maxQueuedRuns, queued } = rlm.status();
  expect(refused.code).toBe('overloaded');
  expect(refused.data).toMatchObject({ maxRepls, maxQueuedRuns, queued });
  first.cancel();
  await failureOf(first);
});
