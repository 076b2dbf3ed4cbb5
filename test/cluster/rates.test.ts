/** A provider's limit holds for all workers and all processes that ask together. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Cluster, type ClusterWorker, connectCluster, startWorker } from '../../src/cluster/index.ts';
import { ModelError } from '../../src/index.ts';
import type { GateSlot } from '../../src/model/rate/call-gate.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';
import { measureRate, startLimited } from './rate-limited.ts';

if (NO_REDIS !== undefined) console.warn(`The tests of rate limits over workers are skipped: ${NO_REDIS}`);

const MODEL = { id: 'openai/gpt-5', provider: 'openai', remote: true } as const;

describe.skipIf(NO_REDIS !== undefined)('the pace of a queue', () => {
  let redis: RedisServer;
  let queues = 0;
  const clusters: Cluster[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const cluster of clusters.splice(0)) await cluster.close();
  });
  afterAll(() => redis.stop());

  async function connect(queue: string): Promise<Cluster> {
    const cluster = await connectCluster({ redis: redis.url, queue });
    clusters.push(cluster);
    return cluster;
  }

  function enter({ rates }: Cluster, signal: AbortSignal = new AbortController().signal): Promise<GateSlot> {
    const lane = rates.openTree({ maxConcurrentCalls: 8 }).lane();
    return lane.enter(MODEL, { signal, deadline: Number.POSITIVE_INFINITY, tokens: 1 });
  }

  it('a refusal that one process meets slows all of them', async () => {
    const queue = `pace-${++queues}`;
    const [first, second] = [await connect(queue), await connect(queue)];
    const free = performance.now();
    for (const cluster of [first, second]) (await enter(cluster)).leave(undefined);
    expect(performance.now() - free).toBeLessThan(1_000);
    for (const [refused, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const slot = await enter(refused);
      const start = performance.now();
      slot.observe({}, 429);
      slot.leave(new ModelError({ fault: 'rate-limit', message: 'refused', retryAfterMs: 1_500 }));
      (await enter(other)).leave(undefined);
      expect(performance.now() - start).toBeGreaterThanOrEqual(1_400);
    }
  });

  it('a wrong key of one process does not stop the others', async () => {
    const queue = `pace-${++queues}`;
    const [first, second] = [await connect(queue), await connect(queue)];
    const lane = first.rates.openTree({ maxConcurrentCalls: 8 }).lane();
    const pass = { signal: new AbortController().signal, deadline: Number.POSITIVE_INFINITY, tokens: 1 };
    (await lane.enter(MODEL, pass)).leave(new ModelError({ fault: 'key', message: 'wrong key' }));
    await expect(lane.enter(MODEL, pass)).rejects.toMatchObject({ code: 'missing-key' });
    (await enter(second)).leave(undefined);
  });

  it('continues in another process when the one that keeps it has ended, also for a call that waits there', async () => {
    const queue = `pace-${++queues}`;
    const [first, second] = [await connect(queue), await connect(queue)];
    const slot = await enter(first);
    slot.leave(new ModelError({ fault: 'rate-limit', message: 'refused', retryAfterMs: 3_600_000 }));
    const waiting = enter(second);
    let granted = false;
    void waiting.then(() => {
      granted = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(granted, 'the hour of the refusal holds for both').toBe(false);
    await first.close();
    (await waiting).leave(undefined);
  });

  it('a call that is cancelled while it waits leaves no turn taken', async () => {
    const queue = `pace-${++queues}`;
    const [first, second] = [await connect(queue), await connect(queue)];
    (await enter(first)).leave(new ModelError({ fault: 'rate-limit', message: 'refused', retryAfterMs: 500 }));
    const control = new AbortController();
    const waiting = Array.from({ length: 20 }, () => enter(second, control.signal).catch((error: unknown) => error));
    control.abort();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'cancelled' });
    for (let call = 0; call < 25; call++) (await enter(first)).leave(undefined);
  });

  it.each(['openai', undefined] as const)(
    'of 20 requests a second over 4 workers and 2 processes that ask, little is unused and little refused (headers: %s)',
    async (headers) => {
      const queue = `pace-${++queues}`;
      const limit = { perSecond: 20, burst: 10, ...(headers !== undefined && { headers }) };
      const load = { limit, askers: 2, children: 4, calls: 25 };
      const mock = await startLimited(load);
      for (const [name, value] of Object.entries(mock.env)) vi.stubEnv(name, value);
      const workers: ClusterWorker[] = [];
      try {
        for (let index = 0; index < 4; index++)
          workers.push(await startWorker({ redis: redis.url, queue, concurrency: 2 }));
        const { used, refused, refusedLater, requests } = await measureRate(load, { mock, redis: redis.url, queue });
        expect(requests).toBeGreaterThanOrEqual(2 * 4 * 25);
        // Few requests: the search for the limit and the end of the last children weigh more. The bench has the figures of many.
        expect(used).toBeGreaterThanOrEqual(0.6);
        if (headers !== undefined) expect(refused).toBeLessThanOrEqual(0.03);
        expect(refusedLater).toBeLessThanOrEqual(0.05);
      } finally {
        for (const worker of workers) await worker.close({ now: true });
        await mock.close();
      }
    },
    60_000,
  );
});
