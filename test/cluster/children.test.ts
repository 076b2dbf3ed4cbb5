/** Children on workers behave as children of this process do. */
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cluster, type ClusterWorker, connectCluster, startWorker } from '../../src/cluster/index.ts';
import { createRlm, projected, type RlmOptions, type RunEvent } from '../../src/index.ts';
import { checkEvents } from '../engine/check-events.ts';
import { answerOf, isOfChild } from '../resume/kill-script.ts';
import { NO_REDIS } from '../servers/redis-server.ts';
import { useServers } from './use-servers.ts';

if (NO_REDIS !== undefined) console.warn(`The tests of children on workers are skipped: ${NO_REDIS}`);

/** Four children at once. */
const ROOT_OF_FOUR = `FINAL(' '.join(str(r) for r in rlm_query_batched([('CHILD', i) for i in 'abcd'])))`;

describe.skipIf(NO_REDIS !== undefined)('children on a worker', () => {
  const servers = useServers((request) => ({ text: answerOf(request) }));
  let cluster: Cluster;
  let worker: ClusterWorker;
  let queue = 0;
  beforeEach(async () => {
    const options = { redis: servers.redis.url, queue: `children-${++queue}` };
    cluster = await connectCluster(options);
    worker = await startWorker({ ...options, repl: 'auto', concurrency: 3, leaseMs: 2_000 });
  });
  afterEach(async () => {
    await worker.close({ now: true });
    await cluster.close();
  });

  const OPTIONS = {
    model: 'openai/gpt-5',
    subModel: 'openai/gpt-5-mini',
    limits: { maxDepth: 2, maxConcurrentCalls: 16, maxSubCalls: 2_000, maxTokens: 100_000_000 },
  } as const satisfies RlmOptions;

  it('give the result, the usage and the events that children of this process give', async () => {
    const outcomes = [];
    for (const options of [OPTIONS, { ...OPTIONS, cluster }]) {
      const events: RunEvent[] = [];
      await using rlm = createRlm({ ...options, onEvent: (event) => void events.push(event) });
      const run = rlm.completion({ query: 'ROOT', context: 'the context of the kill loop' });
      const { answer, usage, subCalls, trajectory } = await run;
      expect(checkEvents(events)).toEqual([]);
      const types = new Map<string, number>();
      for (const { type } of events) {
        if (!['run.progress', 'model.delta', 'cell.output', 'cell.started'].includes(type))
          types.set(type, (types.get(type) ?? 0) + 1);
      }
      outcomes.push({
        answer,
        usage: { ...usage },
        subCalls,
        turns: trajectory.turns.length,
        types: [...types].sort(),
      });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  }, 120_000);

  /** Answers of a root that runs one cell, and of its children. */
  function respondWith(cell: string, child: string): void {
    servers.mock.respondWith(({ system, messages }) => {
      if (!system.includes('You answer a query')) return { text: 'flat' };
      const isChild = isOfChild(messages);
      return { text: `\`\`\`repl\n${isChild ? child : cell}\n\`\`\`` };
    });
  }

  async function ask(options: Partial<RlmOptions> = {}): Promise<unknown> {
    await using rlm = createRlm({ ...OPTIONS, cluster, ...options });
    return (await rlm.completion({ query: 'ROOT', context: 'a context' })).answer;
  }

  it.each([
    ['a text', `'some text'`, 'print(type(context).__name__, len(context))\nFINAL(context)', 'some text'],
    ['lone surrogates', `'a\\ud800b'`, 'print(len(context))\nFINAL(str(len(context)))', '3'],
    ['a value', `{'a': [1, 2]}`, 'print(context)\nFINAL(str(context["a"][1]))', '2'],
    ['a text that is spooled to a file', `'x' * 3_000_000`, 'print(len(context))\nFINAL(str(len(context)))', '3000000'],
    ['no context', 'None', 'print(1)\nFINAL("none")', 'none'],
  ])('get %s as their context', async (_, context, child, answer) => {
    respondWith(`FINAL(rlm_query('CHILD', ${context}))`, child);
    expect(await ask()).toBe(answer);
  });

  it.each([
    [
      'values',
      `{'n': 2 ** 70, 't': 'é'}`,
      "FINAL(f\"{seed['n']} {seed['t']} {context}\")",
      '1180591620717411303424 é c',
    ],
    ['the text of the context', `{'t': context}`, 'print(1)\nFINAL(seed["t"])', 'a context'],
  ])('get seed values: %s', async (_, seed, child, answer) => {
    respondWith(`FINAL(rlm_query('CHILD', 'c', seed=${seed}))`, child);
    expect(await ask()).toBe(answer);
  });

  it('refuse a seed value that only this machine can read', async () => {
    respondWith(
      `r = rlm_query_batched([{'query': 'CHILD', 'seed': {'d': context}}])[0]\nFINAL(str(r.error))`,
      'FINAL(1)',
    );
    await using rlm = createRlm({ ...OPTIONS, cluster });
    const { answer } = await rlm.completion({ query: 'ROOT', context: projected('a projected text') });
    expect(answer).toContain('give its text');
  });

  it('answer in the type that the cell asked for', async () => {
    const schema = `{'type': 'object', 'properties': {'n': {'type': 'integer'}}, 'required': ['n']}`;
    respondWith(`FINAL(str(rlm_query('CHILD', 'c', output=${schema})))`, 'print(context)\nFINAL({"n": 7})');
    expect(await ask()).toBe('{"n": 7}');
  });

  it('call tools on the machine of the caller, and get their errors', async () => {
    const seen: unknown[] = [];
    const double = Object.assign(
      ({ n }: { readonly n: number }) => {
        seen.push(n);
        if (n > 100) throw new RangeError('too large');
        return n * 2;
      },
      { description: 'Doubles.', parameters: ['n'] },
    );
    const child = [
      'print(context)',
      'try:',
      '    double(n=1000)',
      'except Exception as error:',
      '    FINAL(f"{double(n=limit)} {type(error).__name__}: {error}")',
    ];
    respondWith(`FINAL(rlm_query('CHILD', 'c'))`, child.join('\n'));
    expect(await ask({ tools: { double, limit: 21 } })).toContain('42');
    expect(seen).toEqual([1000, 21]);
  });

  it('have children of their own', async () => {
    const child = [
      `inner = rlm_query('CHILD', 'deep') if 'deep' not in context else 'bottom'`,
      'FINAL(f"{context}>{inner}")',
    ];
    respondWith(`FINAL(rlm_query('CHILD', 'c'))`, child.join('\n'));
    expect(await ask({ limits: { ...OPTIONS.limits, maxDepth: 3 } })).toBe('c>deep>bottom');
  });

  it('stop with their run, and free the worker', async () => {
    const started = Promise.withResolvers<void>();
    servers.mock.respondWith(({ system, messages, prompt }) => {
      if (prompt === 'SLOW') started.resolve();
      if (!system.includes('You answer a query')) return { text: 'late', latencyMs: 60_000 };
      const isChild = isOfChild(messages);
      return { text: `\`\`\`repl\n${isChild ? "llm_query('SLOW')" : "rlm_query('CHILD', 'c')"}\n\`\`\`` };
    });
    await using rlm = createRlm({ ...OPTIONS, cluster });
    const run = rlm.completion({ query: 'ROOT', context: 'a context' });
    await started.promise;
    run.cancel('enough');
    const error = await run.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'cancelled', result: { usage: { possiblyBilled: 1 } } });
    await vi.waitFor(() => expect(worker.active).toBe(0), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await cluster.status()).toEqual({ waiting: 0, active: 0 }), {
      timeout: 10_000,
    });
  });

  it('end with a record of their own where the worker is gone when their run stops', async () => {
    const events: RunEvent[] = [];
    const started = Promise.withResolvers<void>();
    servers.mock.respondWith(({ system, messages, prompt }) => {
      if (prompt === 'SLOW') started.resolve();
      if (!system.includes('You answer a query')) return { text: 'late', latencyMs: 60_000 };
      const isChild = isOfChild(messages);
      return { text: `\`\`\`repl\n${isChild ? "print('x')\nllm_query('SLOW')" : "rlm_query('CHILD', 'c')"}\n\`\`\`` };
    });
    await using rlm = createRlm({ ...OPTIONS, cluster, onEvent: (event) => void events.push(event) });
    const run = rlm.completion({ query: 'ROOT', context: 'a context' });
    await started.promise;
    await worker.close({ now: true });
    run.cancel('enough');
    expect(await run.catch((thrown: unknown) => thrown)).toMatchObject({ code: 'cancelled' });
    expect(checkEvents(events)).toEqual([]);
    const [child, root] = events.filter((event) => event.type === 'run.completed');
    expect(child).toMatchObject({
      parentRunId: root?.runId,
      outcome: 'aborted',
      reason: 'The run was stopped.',
      turns: 1,
      subCalls: 1,
    });
  });

  it('are refused what the budget of the whole tree does not allow', async () => {
    const child = 'replies = llm_query_batched([f"q{i}" for i in range(20)])\nFINAL(str(sum(r.ok for r in replies)))';
    respondWith(`FINAL(' '.join(str(r) for r in rlm_query_batched([('CHILD', 'a'), ('CHILD', 'b')])))`, child);
    await using rlm = createRlm({ ...OPTIONS, cluster, limits: { ...OPTIONS.limits, maxSubCalls: 12 } });
    const { subCalls, answer } = await rlm.completion({ query: 'ROOT', context: 'a context' });
    expect(subCalls).toBe(12);
    expect(
      String(answer)
        .split(' ')
        .reduce((sum, part) => sum + Number(part), 0),
    ).toBe(10);
  });

  it('are refused what the price limit of the whole tree does not allow, by the account of the provider as well', async () => {
    const before = servers.mock.billed;
    const child = 'replies = llm_query_batched([f"q{i}" for i in range(50)])\nFINAL(str(sum(r.ok for r in replies)))';
    respondWith(`FINAL(' '.join(str(r) for r in rlm_query_batched([('CHILD', i) for i in 'abc'])))`, child);
    const maxCostUsd = 0.15;
    await using rlm = createRlm({ ...OPTIONS, cluster, limits: { ...OPTIONS.limits, maxCostUsd } });
    const { usage } = await rlm.completion({ query: 'ROOT', context: 'a context' });
    expect(usage.costUsd).toBeLessThanOrEqual(maxCostUsd);
    const after = servers.mock.billed;
    expect(after.inputTokens - before.inputTokens).toBeLessThanOrEqual(usage.inputTokens);
    expect(after.outputTokens - before.outputTokens).toBeLessThanOrEqual(usage.outputTokens);
  });

  it('share the pace of their run over all workers', async () => {
    await using second = await startWorker({
      redis: servers.redis.url,
      queue: `children-${queue}`,
      concurrency: 3,
      leaseMs: 2_000,
    });
    let inFlight = 0;
    let most = 0;
    servers.mock.respondWith(async ({ system, messages }) => {
      if (system.includes('You answer a query')) {
        const isChild = isOfChild(messages);
        const cell = isChild ? 'FINAL(str(len(llm_query_batched([f"q{i}" for i in range(12)]))))' : ROOT_OF_FOUR;
        return { text: `\`\`\`repl\n${cell}\n\`\`\`` };
      }
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inFlight -= 1;
      return { text: 'flat' };
    });
    expect(await ask({ limits: { ...OPTIONS.limits, maxConcurrentCalls: 3 } })).toBe('12 12 12 12');
    expect(second.active).toBe(0);
    expect(most).toBe(3);
  });

  it('fail when their worker is of another version', async () => {
    await worker.close();
    respondWith(
      `try:\n    rlm_query('CHILD', 'c')\nexcept Exception as error:\n    FINAL(str(error))`,
      'FINAL("never")',
    );
    const answer = ask();
    const waiting = new Queue(`fathom-children-${queue}`, { connection: { url: servers.redis.url } });
    const [job] = await vi.waitFor(
      async () => {
        const jobs = await waiting.getWaiting();
        expect(jobs).toHaveLength(1);
        return jobs;
      },
      { timeout: 20_000 },
    );
    await job?.updateData({ ...(job.data as object), version: 2 });
    await using _ = await startWorker({ redis: servers.redis.url, queue: `children-${queue}`, leaseMs: 2_000 });
    expect(await answer).toContain('not 2: use the same version');
    await waiting.close();
  });
});
