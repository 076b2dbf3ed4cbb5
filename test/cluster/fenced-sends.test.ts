/** A process that was stopped between the record of a call and its request sends nothing once another one has its run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClusterWorker, connectCluster, startWorker } from '../../src/cluster/index.ts';
import { createRlm } from '../../src/index.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { isOfChild, openKillStore } from '../resume/kill-script.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

const MISSING = NO_REDIS ?? NO_POSTGRES;
if (MISSING !== undefined) console.warn(`The tests of fenced sends are skipped: ${MISSING}`);

const SCRIPT = fileURLToPath(new URL('./stopping-owner.ts', import.meta.url));
const LEASE_MS = 1_000;
const ASKED = 'the one sub-call';

describe.skipIf(MISSING !== undefined)('a process that is stopped between the record of a call and its request', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let mock: MockProvider;
  const processes = new Set<ChildProcess>();
  beforeAll(async () => {
    redis = await startRedis();
    postgres = await startPostgres();
    mock = await startMockProvider({
      respond({ system, messages }) {
        if (!system.includes('You answer a query')) return { text: 'flat' };
        const isChild = isOfChild(messages);
        const isParent = !isChild && messages.some(({ content }) => content.startsWith('Query:\nPARENT'));
        const call = isParent ? `rlm_query('CHILD', 'c')` : `llm_query('${ASKED}')`;
        return { text: `\`\`\`repl\nprint(context)\nFINAL(str(${call}))\n\`\`\`` };
      },
    });
    for (const [name, value] of Object.entries(mock.env)) vi.stubEnv(name, value);
  }, 60_000);
  afterEach(() => {
    for (const child of processes) child.kill('SIGKILL');
    processes.clear();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await mock.close();
    await redis.stop();
    await postgres.stop();
  });

  function start(args: readonly string[], unfenced: boolean) {
    const env = { ...process.env, ...(unfenced && { FATHOM_TEST_UNFENCED: '1' }) };
    const child = spawn(process.execPath, ['--no-warnings', SCRIPT, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.add(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    return { child, next };
  }

  /** Requests of the sub-call that the provider has seen. */
  function sent(): number {
    return mock.calls.filter(({ request }) => request.prompt === ASKED).length;
  }

  describe.each([
    { unfenced: false, more: 0, title: 'sends nothing' },
    { unfenced: true, more: 1, title: 'sends, where it does not ask whether it owns the run (the control)' },
  ])('$title', ({ unfenced, more }) => {
    it('as the owner of a run in Postgres, whose lease has ended', async () => {
      const place = `${postgres.url}#fenced_${unfenced}`;
      const owner = start(['asks', place], unfenced);
      const runId = await owner.next();
      expect(await owner.next()).toBe('stopped');
      const before = sent();
      const store = openKillStore(place);
      while (!(await store.lock(`run ${runId}`, 'the next owner')).ok);
      owner.child.kill('SIGCONT');
      expect(await owner.next()).toBe('store-failure');
      expect(sent() - before).toBe(more);
      await store.close();
    }, 60_000);

    it('as a worker, whose child another one has', async () => {
      const options = { redis: redis.url, queue: `fenced-${unfenced}` };
      const stopping = start(['works', redis.url, options.queue, `${LEASE_MS}`], unfenced);
      expect(await stopping.next()).toBe('ready');
      await using cluster = await connectCluster(options);
      await using rlm = createRlm({ model: 'openai/gpt-5', cluster, limits: { maxDepth: 2 } });
      const before = sent();
      const run = rlm.completion({ query: 'PARENT', context: 'a context' });
      run.catch(() => undefined);
      for (;;) if ((await stopping.next()) === 'stopped') break;
      await using _: ClusterWorker = await startWorker({ ...options, leaseMs: LEASE_MS, concurrency: 1 });
      await vi.waitFor(() => expect(sent() - before).toBe(1), { timeout: 30_000 });
      stopping.child.kill('SIGCONT');
      for (;;) if ((await stopping.next()).includes(' ended: ')) break;
      const { answer, usage } = await run;
      expect(answer).toBe('flat');
      expect(usage.possiblyBilled).toBe(1);
      expect(sent() - before).toBe(1 + more);
    }, 60_000);
  });
});
