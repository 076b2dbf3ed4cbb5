import { describe, expect, it } from 'vitest';
import { CompletionError, type CompletionRun } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import {
  BACKEND,
  cell,
  checkEvents,
  closedAt,
  grow,
  isRootCall,
  modelsPerDepth,
  ownProcesses,
  providerOf,
} from './harness.ts';
import { commandOf, descendants, isAlive } from './processes.ts';

const CALLS = 1_000;
/** The bar is 100 ms (bench/fan-out.bench.ts measures it); a test machine may be busy with anything. */
const GENEROUS_MS = 2_000;

const HANGING = { fault: 'hang-before-headers' } as const;

/** The error of a run that must not succeed. */
async function failureOf(run: CompletionRun<unknown>): Promise<CompletionError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CompletionError) return error;
  throw new Error('the run was expected to fail');
}

describe('1 000 calls in flight that are cancelled', () => {
  it('are closed at once, every cell has ended, and no process is left', async () => {
    const before = new Set(descendants());
    let full = (): void => undefined;
    const whenFull = new Promise<void>((resolve) => {
      full = resolve;
    });
    await using provider = await providerOf((request) => {
      if (isRootCall(request)) return cell(`rs = llm_query_batched([f"p {i}" for i in range(${CALLS})])`);
      if (provider.inFlight >= CALLS) full();
      return HANGING;
    });
    const { run, rlm, events } = grow({
      ...modelsPerDepth(provider, 1),
      ...ownProcesses(),
      limits: { maxConcurrentCalls: CALLS, maxTokens: 100_000_000 },
    });
    await whenFull;
    const started = performance.now();
    run.cancel('enough');
    const [closed, error] = await Promise.all([closedAt(provider), failureOf(run)]);
    expect(closed - started).toBeLessThan(GENEROUS_MS);
    expect(performance.now() - started).toBeLessThan(GENEROUS_MS);

    const { usage, trajectory, subCalls } = error.result;
    expect([usage.calls, usage.possiblyBilled, subCalls]).toEqual([CALLS + 1, CALLS, CALLS]);
    expect(trajectory.turns[0]?.commands[0]?.subCalls).toHaveLength(CALLS);
    expect(checkEvents(events)).toEqual([]);

    if (BACKEND === 'plain') return;
    const mine = descendants().filter((pid) => !before.has(pid));
    await rlm.close();
    const deadline = performance.now() + GENEROUS_MS;
    while (mine.some(isAlive) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(mine.filter(isAlive).map(commandOf)).toEqual([]);
  }, 120_000);
});

/** Three children that each have grandchildren; whatever is flat hangs. */
const TREE = [
  cell('rs = rlm_query_batched([(f"child {i}", "x") for i in range(3)])', 'print(rs)'),
  cell('answer["content"] = "half of it"', 'rs = rlm_query_batched([("below", "y"), ("beside", "z")])', 'print(rs)'),
  cell('rs = llm_query_batched(["a", "b", "c"])', 'print(rs)'),
];

/** A tree with 18 calls hanging at its leaves. */
async function hangingTree(options: { maxDurationMs?: number; signal?: AbortSignal } = {}) {
  let full = (): void => undefined;
  const whenFull = new Promise<void>((resolve) => {
    full = resolve;
  });
  let leaves = 0;
  const provider = await providerOf((request) => {
    if (request.prompt.includes('best answer now')) return 'FINAL(the best of it)';
    if (isRootCall(request)) return TREE[Number(request.model.slice(1))] ?? '';
    leaves += 1;
    if (leaves === 18) full();
    return HANGING;
  });
  const { maxDurationMs, signal } = options;
  const grown = grow(
    {
      ...modelsPerDepth(provider, 3),
      limits: { maxDepth: 3, maxConcurrentCalls: 40, ...(maxDurationMs !== undefined && { maxDurationMs }) },
    },
    signal === undefined ? {} : { signal },
  );
  return { provider, whenFull, ...grown };
}

describe('stopping a tree', () => {
  it('by its signal ends every run of it, with all that was used', async () => {
    const controller = new AbortController();
    const { provider, whenFull, run, events } = await hangingTree({ signal: controller.signal });
    await using _ = provider;
    await whenFull;
    controller.abort('that will do');
    const { result } = await failureOf(run);

    expect(result).toMatchObject({ outcome: 'aborted', stop: 'cancelled', reason: 'that will do' });
    expect(result.usage.byDepth).toMatchObject({ 0: { calls: 1 }, 1: { calls: 3 }, 2: { calls: 6 }, 3: { calls: 18 } });
    expect(checkEvents(events)).toEqual([]);
    const ended = events.filter((event) => event.type === 'run.completed');
    expect(ended).toHaveLength(10);
    expect(ended.at(-1)?.runId).toBe(result.runId);
    await closedAt(provider);
  });

  it('by run.cancel() does the same, and twice is once', async () => {
    const { provider, whenFull, run, events } = await hangingTree();
    await using _ = provider;
    await whenFull;
    run.cancel('One.');
    run.cancel('two');
    const error = await failureOf(run);
    expect(error.result).toMatchObject({ outcome: 'aborted', reason: 'One.' });
    expect(error.message).toBe('The run was cancelled: One.');
    expect(checkEvents(events)).toEqual([]);
    await closedAt(provider);
  });

  it.each([
    [new Error('the tab was closed'), 'the tab was closed'],
    ['', 'cancelled by the caller'],
    [7, 'cancelled by the caller'],
  ])('for the reason %j says why', async (reason, words) => {
    const { run } = grow({ model: scriptedModel(['FINAL(1)']) });
    run.cancel(reason as string);
    const error = await failureOf(run);
    expect([error.message, error.result.reason]).toEqual([`The run was cancelled: ${words}.`, words]);
  });

  it('keeps the draft of the cell that was stopped', async () => {
    await using provider = await providerOf((request) => {
      if (isRootCall(request)) return cell('answer["content"] = "half of it"', 'llm_query("the other half?")');
      run.cancel();
      return HANGING;
    });
    const { run } = grow(modelsPerDepth(provider, 1));
    expect((await failureOf(run)).result).toMatchObject({ outcome: 'aborted', text: 'half of it' });
    await closedAt(provider);
  });

  it('by run.finish() stops what is below and asks the root for its best answer', async () => {
    const { provider, whenFull, run, events } = await hangingTree();
    await using _ = provider;
    await whenFull;
    run.finish('time for tea');
    const result = await run;

    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'finish-requested', reason: 'time for tea' });
    const below = events.filter((event) => event.type === 'run.completed' && event.parentRunId !== undefined);
    expect(below).toHaveLength(9);
    for (const ended of below) expect(ended).toMatchObject({ outcome: 'aborted', reason: 'The run was stopped.' });
    expect(result.answer).toBe('the best of it');
    expect(result.usage.byDepth).toMatchObject({ 0: { calls: 2 }, 3: { calls: 18, possiblyBilled: 18 } });
    expect(checkEvents(events)).toEqual([]);
    await closedAt(provider);
  });

  it('by finish and then cancel ends it without an answer', async () => {
    const { provider, whenFull, run } = await hangingTree();
    await using _ = provider;
    await whenFull;
    provider.respondWith(() => {
      run.cancel('stop, I said');
      return HANGING;
    });
    run.finish();
    expect((await failureOf(run)).result).toMatchObject({ outcome: 'aborted', stop: 'cancelled' });
    await closedAt(provider);
  });

  it('by its deadline gives the best answer in time, children before parents', async () => {
    // Time to start ten REPLs.
    const maxDurationMs = BACKEND === 'pyodide' ? 30_000 : 10_000;
    const { provider, run, events } = await hangingTree({ maxDurationMs });
    await using _ = provider;
    const result = await run;

    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'time-limit', answer: 'the best of it' });
    expect(result.elapsedMs).toBeLessThan(maxDurationMs + GENEROUS_MS);
    expect(checkEvents(events)).toEqual([]);
    const ended = new Set<string | undefined>();
    for (const event of events) {
      if (event.type !== 'run.completed') continue;
      expect(ended).not.toContain(event.parentRunId);
      ended.add(event.runId);
    }
    expect(ended.size).toBeGreaterThanOrEqual(10);
    await closedAt(provider);
  }, 60_000);
});
