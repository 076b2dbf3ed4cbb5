/** A Redis that does not answer: it is waited for, reported, and given up after a time. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectCluster, startWorker } from '../../src/cluster/index.ts';
import { createRlm, memoryStore, type RlmOptions, type RunEvent } from '../../src/index.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { isOfChild } from '../resume/kill-script.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

if (NO_REDIS !== undefined) console.warn(`The tests of a silent Redis are skipped: ${NO_REDIS}`);

const OPTIONS = { model: 'openai/gpt-5', limits: { maxDepth: 2 } } as const satisfies RlmOptions;

describe.skipIf(NO_REDIS !== undefined)('a Redis that does not answer', () => {
  let redis: RedisServer;
  let mock: MockProvider;
  beforeAll(async () => {
    mock = await startMockProvider({
      respond({ system, messages }) {
        const isChild = isOfChild(messages);
        if (!system.includes('You answer a query')) return { text: 'flat' };
        return {
          text: `\`\`\`repl\n${isChild ? 'FINAL(context)' : `FINAL(rlm_query('CHILD', 'from a child'))`}\n\`\`\``,
        };
      },
    });
    for (const [name, value] of Object.entries(mock.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await mock.close();
  });
  beforeEach(async () => {
    redis = await startRedis();
  }, 60_000);
  afterEach(async () => {
    redis.resume();
    await redis.stop();
  });

  it.each(['paused', 'killed'] as const)(
    'is reported while a child waits (%s), and the run continues when it is back',
    async (how) => {
      await using cluster = await connectCluster({ redis: redis.url });
      const reports: string[] = [];
      const onEvent = (event: RunEvent): void => {
        if (event.type === 'run.progress' && event.status?.includes('Redis') === true) reports.push(event.status);
      };
      await using rlm = createRlm({ ...OPTIONS, cluster, onEvent });
      const run = rlm.completion({ query: 'ROOT', context: 'a context' });
      await vi.waitFor(async () => expect((await cluster.status()).waiting).toBe(1), { timeout: 30_000 });
      if (how === 'paused') redis.pause();
      else await redis.kill();
      await vi.waitFor(() => expect(reports[0]).toMatch(/^Redis at redis:\/\/127.* has not answered for \d+ s/), {
        timeout: 30_000,
      });
      if (how === 'paused') redis.resume();
      else await redis.start();
      await vi.waitFor(() => expect(reports.at(-1)).toContain('answers again'), { timeout: 30_000 });
      await using _ = await startWorker({ redis: redis.url, concurrency: 1 });
      expect((await run).answer).toBe('from a child');
    },
    120_000,
  );

  it('for too long pauses the run with the reason; it is resumed when Redis is back', async () => {
    const store = memoryStore();
    const cluster = await connectCluster({ redis: redis.url, retryMs: 4_000 });
    const rlm = createRlm({ ...OPTIONS, cluster, store });
    const run = rlm.completion({ query: 'ROOT', context: 'a context' });
    await vi.waitFor(async () => expect((await cluster.status()).waiting).toBe(1), { timeout: 30_000 });
    redis.pause();
    const error = await run.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'store-failure',
      resumable: true,
      message: expect.stringContaining('(retryMs)'),
    });
    expect(await store.runs.get(run.id)).toMatchObject({ status: 'paused' });
    // Closing does not wait for it either.
    await rlm.close();
    await cluster.close();
    redis.resume();
    await using again = await connectCluster({ redis: redis.url });
    await using worker = await startWorker({ redis: redis.url, concurrency: 1 });
    await using later = createRlm({ ...OPTIONS, cluster: again, store });
    expect((await later.resume(run.id)).answer).toBe('from a child');
    await vi.waitFor(() => expect(worker.active).toBe(0), { timeout: 30_000 });
  }, 120_000);

  it('for too long ends a worker, with a line and a typed error', async () => {
    const lines: string[] = [];
    const worker = await startWorker({ redis: redis.url, retryMs: 4_000, onLine: (line) => lines.push(line) });
    redis.pause();
    expect(await worker.lost).toMatchObject({ code: 'store-failure', userAction: true });
    expect(lines[0]).toContain('has not answered for');
    await worker.close({ now: true });
  }, 120_000);

  it('at the start is an error at once', async () => {
    await redis.stop();
    await expect(connectCluster({ redis: redis.url, retryMs: 1_000 })).rejects.toMatchObject({
      code: 'store-failure',
      message: expect.stringContaining('cannot be reached'),
    });
    redis = await startRedis();
  }, 60_000);
});
