import { describe, expect, it } from 'vitest';
import { CompletionError, memoryStore } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import type { MockFault, MockReply, MockRequest } from '../mock-provider/index.ts';
import {
  cell,
  checkEvents,
  expectOneAccount,
  firstUser,
  grow,
  isRootCall,
  modelsPerDepth,
  providerOf,
  turnOf,
} from './harness.ts';

describe('a sub-model that cannot be resolved', () => {
  const root = () => scriptedModel(() => cell('FINAL(llm_query("hi") + rlm_query("ho", "x"))'), { modelId: 'root' });

  it('is an error before anything is spent', async () => {
    const model = root();
    const { run, events } = grow({ model, subModel: 'unknown/knows-this' });
    await expect(run).rejects.toMatchObject({
      code: 'model-not-found',
      result: { outcome: 'failed', turns: 0, usage: { calls: 0 } },
    });
    expect(model.requests).toHaveLength(0);
    expect(checkEvents(events)).toEqual([]);
  });

  it('falls back to the root model where the caller allows it, reported once in the run', async () => {
    const model = scriptedModel(
      ({ messages }) =>
        messages[0]?.role !== 'system'
          ? 'flat'
          : messages[1]?.content.includes('child')
            ? cell('FINAL("/".join(llm_query_batched(["a", "b"])))')
            : cell('FINAL([llm_query("hi"), *rlm_query_batched([("child 1", "x"), ("child 2", "y")])])'),
      { modelId: 'root' },
    );
    const { run, events } = grow({
      ...{ model, subModel: ['unknown/knows-this', 'unknown/knows-this'], fallbackToRootModel: true },
      limits: { maxDepth: 2 },
    });
    const { text } = await run;
    expect(JSON.parse(text)).toEqual(['flat', 'flat/flat', 'flat/flat']);
    expect(events.filter(({ type }) => type === 'subcall.fallback')).toMatchObject([
      { configured: 'unknown/knows-this', using: 'scripted/root', reason: expect.stringContaining('unknown') },
    ]);
  });
});

describe('a sub-model that its provider does not know', () => {
  const UNKNOWN: MockFault = {
    fault: 'status',
    status: 404,
    error: { message: 'The model d1 does not exist', code: 'model_not_found' },
  };
  const answer = (request: MockRequest): MockReply => {
    if (request.model === 'd1') return UNKNOWN;
    if (!isRootCall(request)) return `flat by ${request.model}`;
    if (firstUser(request).includes('child')) return cell('FINAL("child by " + llm_query("deep"))');
    return cell(
      'rs = llm_query_batched(["a", "b"])',
      'try: rs.append(rlm_query("child", "x"))',
      'except LLMError as error: rs.append(error.code)',
      'FINAL([str(r) or r.error["code"] for r in rs])',
    );
  };

  it('fails the calls, and the run continues', async () => {
    await using provider = await providerOf(answer);
    const { run, events } = grow({ ...modelsPerDepth(provider, 2), limits: { maxDepth: 2 } });
    expect(JSON.parse((await run).text)).toEqual(Array(3).fill('model-not-found'));
    expect(events.filter(({ type }) => type === 'subcall.fallback')).toEqual([]);
  });

  it('is replaced by the root model where the caller allows it, reported once in the run', async () => {
    await using provider = await providerOf(answer);
    const models = modelsPerDepth(provider, 2);
    const { run, events } = grow({ ...models, fallbackToRootModel: true, limits: { maxDepth: 2 } });
    const { text, usage } = await run;
    expect(JSON.parse(text)).toEqual(['flat by d0', 'flat by d0', 'child by flat by d2']);
    const [unknown, root] = ['openai-compatible/d1', 'openai-compatible/d0'];
    expect(events.filter(({ type }) => type === 'subcall.fallback')).toMatchObject([
      { configured: unknown, using: root, reason: expect.stringContaining('does not know the model') },
    ]);
    const ended = events.flatMap((event) => (event.type === 'subcall.completed' ? [event.model] : []));
    expect(ended).toEqual([root, root, 'openai-compatible/d2', root]);
    expectOneAccount(provider, events, usage);
    expect(checkEvents(events)).toEqual([]);
  });
});

describe('a cell that was killed because its run was stopped from elsewhere', () => {
  it('runs again when the run is resumed', async () => {
    let mended = false;
    let stuck = (): void => undefined;
    const whenStuck = new Promise<void>((resolve) => {
      stuck = resolve;
    });
    const deaf = cell(
      'import time',
      'llm_query("I am about to be deaf")',
      'end = time.monotonic() + 3',
      'while time.monotonic() < end:',
      '    try:',
      '        while time.monotonic() < end: pass',
      '    except BaseException: pass',
      'FINAL("in the end")',
    );
    await using provider = await providerOf(async (request) => {
      if (request.prompt === 'I am about to be deaf') {
        stuck();
        return 'so be it';
      }
      if (!isRootCall(request)) {
        await whenStuck;
        return mended ? 'fine' : { fault: 'status', status: 401, error: { message: 'Incorrect API key provided' } };
      }
      if (turnOf(request) > 1) return 'FINAL(gave up)';
      if (request.model === 'd0') return cell('FINAL(rlm_query_batched([("deaf", "x"), ("other", "y")]))');
      return firstUser(request).includes('deaf') ? deaf : cell('FINAL(llm_query("key?"))');
    });
    const { run, rlm } = grow({ ...modelsPerDepth(provider, 2), limits: { maxDepth: 2 } });
    const error: unknown = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof CompletionError)) throw new Error('the run was expected to fail');
    mended = true;
    expect((await rlm.resume(error.result.runId)).text).toBe('["in the end", "fine"]');
  }, 30_000);
});

describe('a quota or key error below', () => {
  const QUOTA: MockFault = {
    fault: 'status',
    status: 429,
    error: { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' },
  };
  const KEY: MockFault = { fault: 'status', status: 401, error: { message: 'Incorrect API key provided' } };

  it.each([
    ['quota', QUOTA, 'rate-limited'],
    ['key', KEY, 'missing-key'],
  ])(
    'stops the whole run (%s): failed, resumable, paused in the store, and it can continue',
    async (_name, fault, code) => {
      let mended = false;
      let begun = 0;
      const otherInFlight = Promise.withResolvers<void>();
      /** One child meets the fault while the other waits for an answer. */
      const broken = async (prompt: string): Promise<MockFault | undefined> => {
        if (prompt === 'p 0' && ++begun === 2) {
          otherInFlight.resolve();
          return { fault: 'hang-before-headers' };
        }
        if (prompt !== 'p 2') return undefined;
        await otherInFlight.promise;
        return fault;
      };
      await using provider = await providerOf(async (request) => {
        const depth = Number(request.model.slice(1));
        if (!isRootCall(request))
          return (depth === 3 && !mended && (await broken(request.prompt))) || `ok ${request.prompt}`;
        if (turnOf(request) > 1) return 'FINAL(continued)';
        if (depth === 2) return cell('FINAL(" ".join(llm_query(f"p {i}") for i in range(4)))');
        if (depth === 1) return cell('FINAL(rlm_query("two", "y"))');
        return cell('rs = [llm_query("first"), *rlm_query_batched([("one", "x"), ("uno", "z")])]', 'FINAL(rs)');
      });
      const store = memoryStore();
      const { run, rlm, events } = grow({ ...modelsPerDepth(provider, 3), limits: { maxDepth: 3 }, store });
      const error: unknown = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof CompletionError)) throw new Error('the run was expected to fail');

      expect(error).toMatchObject({ code, resumable: true, result: { outcome: 'failed', stop: 'model-failure' } });
      expect(error.message).not.toContain('sk-mock');
      expectOneAccount(provider, events, error.result.usage);
      expect(checkEvents(events)).toEqual([]);

      mended = true;
      const before = provider.calls.length;
      const resumed = await rlm.resume(error.result.runId);
      expect(resumed.outcome).toBe('converged');
      expect(JSON.parse(resumed.text)).toEqual(['ok first', ...Array(2).fill('ok p 0 ok p 1 ok p 2 ok p 3')]);
      const again = provider.calls.slice(before).map(({ request }) => request.prompt);
      expect(again).not.toContain('first');
      // Of the other child, what was in flight when the run stopped.
      expect(again.filter((prompt) => prompt === 'p 0').length).toBeLessThanOrEqual(1);
    },
  );
});
