/** Whole runs on workers: a store in Postgres has them, the queue says that they wait. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cluster, type ClusterWorker, connectCluster, startWorker } from '../../src/cluster/index.ts';
import { contexts, createRlm, fromFile, projected, type Rlm, type RlmOptions, type RunEvent } from '../../src/index.ts';
import type { Store } from '../../src/store/index.ts';
import { postgresStore } from '../../src/store/postgres/index.ts';
import { checkEvents } from '../engine/check-events.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { answerOf, isOfChild, SUB_CALLS } from '../resume/kill-script.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

const MISSING = NO_POSTGRES ?? NO_REDIS;
if (MISSING !== undefined) console.warn(`The tests of whole runs on workers are skipped: ${MISSING}`);

const LEASE_MS = 1_500;
const WORKER = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
const OPTIONS = {
  model: 'openai/gpt-5',
  subModel: 'openai/gpt-5-mini',
  limits: { maxDepth: 2, maxConcurrentCalls: 16, maxSubCalls: 2_000, maxTokens: 100_000_000 },
} as const satisfies RlmOptions;
const WAIT = { timeout: 30_000 };

describe.skipIf(MISSING !== undefined)('a whole run on a worker', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let mock: MockProvider;
  let made = 0;
  let queue = '';
  let schema = '';
  let store: Store;
  let cluster: Cluster;
  let rlm: Rlm;
  const workers: ClusterWorker[] = [];
  const processes = new Set<ChildProcess>();

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    mock = await startMockProvider({ respond: (request) => ({ text: answerOf(request) }) });
    for (const [name, value] of Object.entries(mock.env)) vi.stubEnv(name, value);
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await Promise.all([mock.close(), redis.stop(), postgres.stop()]);
  });
  beforeEach(async () => {
    made += 1;
    queue = `whole-${made}`;
    schema = `whole_${made}`;
    store = openStore();
    cluster = await connectCluster({ redis: redis.url, queue });
    rlm = createRlm({ ...OPTIONS, store, cluster });
  });
  afterEach(async () => {
    for (const child of processes) child.kill('SIGKILL');
    processes.clear();
    await Promise.all(workers.splice(0).map((worker) => worker.close({ now: true })));
    await rlm.close();
    await cluster.close();
    await store.close();
  });

  const openStore = (): Store => postgresStore(postgres.url, { schema, leaseMs: LEASE_MS });

  async function worker(): Promise<ClusterWorker> {
    const options = { redis: redis.url, queue, leaseMs: LEASE_MS, concurrency: 3, runs: 2 };
    const started = await startWorker({ ...options, store: openStore });
    workers.push(started);
    return started;
  }

  /** A worker of its own process, ready. */
  async function workerProcess(): Promise<{ readonly child: ChildProcess; readonly lines: string[] }> {
    const args = ['--no-warnings', WORKER, redis.url, queue, `${LEASE_MS}`, `${postgres.url}#${schema}`];
    const child = spawn(process.execPath, args, { env: { ...process.env }, stdio: ['ignore', 'pipe', 'inherit'] });
    processes.add(child);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    await vi.waitFor(() => expect(lines).toContain('ready'), WAIT);
    return { child, lines };
  }

  /** A root that runs one cell, and children that run another. */
  function respondWith(cell: string, child = 'FINAL(context)'): void {
    mock.respondWith(({ system, messages }) => {
      if (!system.includes('You answer a query')) return { text: 'flat' };
      const isChild = isOfChild(messages);
      return { text: `\`\`\`repl\n${isChild ? child : cell}\n\`\`\`` };
    });
  }

  /** A root whose cell waits for a call that never ends. */
  function respondWithHanging(): Promise<void> {
    const asked = Promise.withResolvers<void>();
    mock.respondWith(({ system, messages }) => {
      if (!system.includes('You answer a query')) {
        asked.resolve();
        return { text: 'late', latencyMs: 600_000 };
      }
      const last = messages.at(-1)?.content ?? '';
      return {
        text: /best answer|final/i.test(last) ? 'FINAL("so far")' : '```repl\nprint(1)\nllm_query("SLOW")\n```',
      };
    });
    return asked.promise;
  }

  it('gives the answer and the events that it gives here; its submitter follows it', async () => {
    respondWith(`print(len(context))\nFINAL(rlm_query('CHILD', 'from afar') + context)`);
    const run = await rlm.submit({ query: 'ROOT', context: ' and here' });
    expect(await store.runs.get(run.id)).toMatchObject({ status: 'queued', owner: { door: 'worker', detached: true } });
    const events: RunEvent[] = [];
    const following = (async () => {
      for await (const event of run) events.push(event);
    })();
    await worker();
    expect(await run.ended()).toMatchObject({ status: 'completed', result: { text: 'from afar and here' } });
    await following;
    expect(events.map(({ type }) => type)).not.toContain('run.resumed');
    expect(events.at(0)?.type).toBe('run.started');
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', outcome: 'converged' });
    expect(checkEvents(events)).toEqual([]);
    const waiting = new Queue(`fathom-${queue}-runs`, { connection: { url: redis.url } });
    await vi.waitFor(
      async () => expect(await waiting.getJobCounts()).toMatchObject({ active: 0, delayed: 0, waiting: 0 }),
      WAIT,
    );
    await waiting.close();
  }, 120_000);

  it('reads files that the submitter has, also when they are gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-whole-'));
    writeFileSync(join(folder, 'a.txt'), 'first');
    writeFileSync(join(folder, 'b.csv'), 'n,word\n1,second\n');
    const cell = `print(letter[:3])\nFINAL(f"{letter} {table.rows[0]['word']} {notes['n']}")`;
    respondWith(cell);
    const context = contexts({
      letter: fromFile(join(folder, 'a.txt')),
      table: fromFile(join(folder, 'b.csv')),
      notes: { n: 7 },
    });
    const run = await rlm.submit({ query: 'ROOT', context });
    rmSync(folder, { recursive: true });
    await worker();
    expect((await run.ended()).result).toMatchObject({ outcome: 'converged', text: 'first second 7' });
  }, 120_000);

  it('whose worker is killed is continued by another one, and pays nothing twice', async () => {
    mock.respondWith((request) => ({ text: answerOf(request), latencyMs: 2 + (request.index % 7) }));
    const before = mock.calls.length;
    const first = await workerProcess();
    const run = await rlm.submit({ query: 'ROOT', context: 'the context of the kill loop' });
    await vi.waitFor(() => expect(mock.calls.length - before).toBeGreaterThan(350), { timeout: 150_000, interval: 5 });
    first.child.kill('SIGKILL');
    expect((await store.runs.get(run.id))?.status).not.toBe('completed');
    const second = await workerProcess();
    const { status, result } = await run.ended();
    expect({ status, outcome: result?.outcome }).toEqual({ status: 'completed', outcome: 'converged' });
    expect(second.lines).toContain(`run ${run.id} begins`);
    expect(result?.subCalls).toBe(SUB_CALLS);
    const resumed = (await store.events.read(run.id)).find(({ type }) => type === 'run.resumed');
    const possiblyBilled = resumed?.type === 'run.resumed' ? resumed.possiblyBilled : 0;
    const seen = mock.calls.slice(before).filter(({ outcome }) => outcome === 'replied').length;
    // Flat calls, children's turns, the root's turns.
    const once = SUB_CALLS - 6 + 6 * 2 + 4;
    expect(seen).toBeGreaterThanOrEqual(once - 6);
    expect(seen).toBeLessThanOrEqual(once + possiblyBilled);
  }, 300_000);

  it.each(['cancel', 'finish'] as const)(
    'obeys a %s of its submitter',
    async (action) => {
      const asked = respondWithHanging();
      const run = await rlm.submit({ query: 'ROOT', context: 'a context' });
      await worker();
      await asked;
      await run[action]('that is enough');
      const { status, result } = await run.ended();
      expect(result).toMatchObject({
        stop: action === 'cancel' ? 'cancelled' : 'finish-requested',
        reason: expect.stringContaining('enough'),
      });
      expect(status).toBe(action === 'cancel' ? 'aborted' : 'completed');
      await vi.waitFor(async () => expect(await store.stops.get(run.id)).toBeUndefined(), WAIT);
    },
    120_000,
  );

  it('that is cancelled before a worker has it never begins', async () => {
    const before = mock.calls.length;
    const run = await rlm.submit({ query: 'ROOT', context: 'a context' });
    await run.cancel('changed my mind');
    expect(await run.ended()).toMatchObject({ status: 'aborted', result: { stop: 'cancelled' } });
    const started = await worker();
    const next = await rlm.submit({ query: 'ROOT', context: 'another' });
    respondWith('print(1)\nFINAL("next")');
    await next.ended();
    expect(started.activeRuns).toBe(0);
    expect(mock.calls.length - before).toBe(1);
  }, 120_000);

  it('that cannot continue says so: paused, with the reason, and it can be resumed', async () => {
    respondWith('print(1)\nFINAL("answered")');
    const { OPENAI_API_KEY: key = '', ...others } = process.env;
    const { child } = await (async () => {
      vi.stubEnv('OPENAI_API_KEY', undefined);
      try {
        return await workerProcess();
      } finally {
        vi.stubEnv('OPENAI_API_KEY', key);
      }
    })();
    expect(others.OPENAI_API_KEY).toBeUndefined();
    const run = await rlm.submit({ query: 'ROOT', context: 'a context' });
    expect(await run.ended()).toMatchObject({
      status: 'paused',
      result: { reason: expect.stringContaining('OPENAI_API_KEY') },
    });
    child.kill('SIGKILL');
    await using here = createRlm({ ...OPTIONS, store });
    expect((await here.resume(run.id)).answer).toBe('answered');
  }, 120_000);

  it('is refused what cannot travel, before anything is stored', async () => {
    const refused: readonly (readonly [object, string])[] = [
      [{ tools: { add: () => 1 } }, 'tools'],
      [{ checks: () => [] }, 'checks'],
      [{ consensus: 3 }, 'consensus'],
      [{ context: projected([1, 2]) }, 'projected'],
      [{ query: '' }, 'query'],
    ];
    for (const [more, word] of refused) {
      await expect(rlm.submit({ query: 'ROOT', ...more })).rejects.toMatchObject({
        code: 'invalid-option',
        message: expect.stringContaining(word),
      });
    }
    await using alone = createRlm(OPTIONS);
    await expect(alone.submit({ query: 'ROOT' })).rejects.toMatchObject({ code: 'invalid-option' });
    expect(await store.runs.list()).toEqual([]);
  });

  it('ends, with its children, before a worker that is drained does', async () => {
    const asked = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    mock.respondWith(async ({ system, messages }) => {
      if (!system.includes('You answer a query')) {
        asked.resolve();
        await open.promise;
        return { text: 'slow' };
      }
      const isChild = isOfChild(messages);
      // The run asks for its second child when the worker is being drained.
      const cell = `first = rlm_query('CHILD', 'a')\nFINAL(first + rlm_query('CHILD', 'b'))`;
      return { text: `\`\`\`repl\n${isChild ? 'FINAL(context + llm_query("SLOW"))' : cell}\n\`\`\`` };
    });
    const { child, lines } = await workerProcess();
    const run = await rlm.submit({ query: 'ROOT', context: 'a context' });
    await asked.promise;
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(lines).toContain('draining'), WAIT);
    const next = await rlm.submit({ query: 'ROOT', context: 'later' });
    open.resolve();
    expect(await run.ended()).toMatchObject({ status: 'completed', result: { text: 'aslowbslow' } });
    await vi.waitFor(() => expect(lines.at(-1)).toBe('drained'), WAIT);
    const begun = new Set(lines.filter((line) => line.endsWith('begins')));
    expect(begun.size, lines.join('\n')).toBe(3);
    expect(begun).toContain(`run ${run.id} begins`);
    expect(await store.runs.get(next.id)).toMatchObject({ status: 'queued' });
  }, 120_000);

  it('of a worker that is closed at once goes to another one, without waiting for its lease', async () => {
    const asked = respondWithHanging();
    const first = await worker();
    const run = await rlm.submit({ query: 'ROOT', context: 'a context' });
    await asked;
    await first.close({ now: true });
    expect((await store.runs.get(run.id))?.status).toBe('interrupted');
    respondWith('print(1)\nFINAL("taken over")');
    await worker();
    expect(await run.ended()).toMatchObject({ status: 'completed' });
  }, 120_000);
});
