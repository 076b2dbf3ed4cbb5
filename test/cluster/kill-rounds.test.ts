/**
 * A run whose children are on workers, while workers, the process that asked and Redis are killed or cut off: the undisturbed answer, and
 * everything else than possibly billed calls paid once, by the mock's own account.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { answerOf } from '../resume/kill-script.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

if (NO_REDIS !== undefined) console.warn(`The rounds over workers are skipped: ${NO_REDIS}`);

const ROUNDS = Number(process.env.CLUSTER_ROUNDS ?? 5);
const LEASE_MS = 1_500;
/** Children of the script. */
const CHILDREN = 6;
const RUN = fileURLToPath(new URL('../resume/kill-run.ts', import.meta.url));
const WORKER = fileURLToPath(new URL('./worker-process.ts', import.meta.url));

interface Ended {
  readonly outcome?: string;
  readonly answer?: string;
  readonly usage?: { readonly calls: number; readonly possiblyBilled: number };
  readonly failed?: { readonly code: string; readonly message: string; readonly resumable: boolean };
}

type Fault = 'worker' | 'paused worker' | 'coordinator' | 'redis' | 'cut off';
const FAULTS: readonly Fault[] = ['worker', 'coordinator', 'redis', 'paused worker', 'cut off'];

describe.skipIf(NO_REDIS !== undefined)('a run over workers that is disturbed', () => {
  let mock: MockProvider;
  let redis: RedisServer;
  let folder = '';
  let undisturbed: Ended = {};
  const processes = new Set<ChildProcess>();

  function start(script: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const { HOME = '', PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const surroundings = {
      HOME,
      PATH,
      NODE_COMPILE_CACHE,
      ...mock.env,
      FATHOM_CACHE_DIR: join(folder, 'cache'),
      ...env,
    };
    const child = spawn(process.execPath, ['--no-warnings', script, ...args], {
      env: surroundings,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.add(child);
    const lines: string[] = [];
    const first = Promise.withResolvers<string>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      first.resolve(line);
    });
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    void closed.then(() => first.reject(new Error(`${script} ended before it printed a line`)));
    first.promise.catch(() => undefined);
    return { child, lines, first: first.promise, closed };
  }

  async function worker(queue: string) {
    const started = start(WORKER, [redis.url, queue, `${LEASE_MS}`], {});
    await started.first;
    return started;
  }

  function run(store: string, queue: string, runId?: string) {
    const started = start(RUN, [store, ...(runId === undefined ? [] : [runId])], {
      FATHOM_TEST_REDIS: redis.url,
      FATHOM_TEST_QUEUE: queue,
    });
    const ended = started.closed.then((): Ended => JSON.parse(started.lines[1] ?? '{}') as Ended);
    const id = started.first.then((line) => (JSON.parse(line) as { readonly runId: string }).runId);
    return { child: started.child, ended, id };
  }

  beforeAll(async () => {
    mock = await startMockProvider({
      respond: (request) => ({ text: answerOf(request), latencyMs: 2 + (request.index % 7) }),
    });
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), 'fathom-cluster-'));
    await worker('undisturbed');
    undisturbed = await run(join(folder, 'undisturbed'), 'undisturbed').ended;
    expect(undisturbed.outcome).toBe('converged');
  }, 120_000);
  afterEach(() => killAll());
  afterAll(async () => {
    killAll();
    await mock.close();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  function killAll(): void {
    for (const child of processes) child.kill('SIGKILL');
    processes.clear();
  }

  it.each(Array.from({ length: ROUNDS }, (_, round) => [round, FAULTS[round % FAULTS.length] ?? 'worker'] as const))(
    'round %d: %s',
    async (round, fault) => {
      const queue = `round-${round}`;
      const store = join(folder, queue);
      const before = mock.calls.length;
      const workers = [await worker(queue), await worker(queue)];
      let running = run(store, queue);
      const id = await running.id;
      // Children begin after the 270 flat calls of the root.
      const goal = before + 290 + ((round * 37) % 180);
      const first = await Promise.race([mock.hasSeen(goal).then(() => 'calls'), running.ended.then(() => 'end')]);
      expect(first, 'the fault comes while children run').toBe('calls');
      if (fault === 'worker') workers[0]?.child.kill('SIGKILL');
      if (fault === 'paused worker') workers[0]?.child.kill('SIGSTOP');
      if (fault === 'redis') {
        await redis.kill();
        await redis.start();
      }
      if (fault === 'cut off') {
        redis.pause();
        await new Promise((resolve) => setTimeout(resolve, 2 * LEASE_MS));
        redis.resume();
      }
      if (fault === 'coordinator') {
        running.child.kill('SIGKILL');
        await running.ended;
        running = run(store, queue, id);
      }
      const ended = await running.ended;
      workers[0]?.child.kill('SIGCONT');
      expect(ended, JSON.stringify(ended.failed)).toMatchObject({ outcome: 'converged', answer: undisturbed.answer });

      const seen = mock.calls.slice(before);
      const answered = seen.filter(({ outcome }) => outcome === 'replied').length;
      const { calls = 0, possiblyBilled = 0 } = ended.usage ?? {};
      const once = undisturbed.usage?.calls ?? 0;
      expect(answered).toBeLessThanOrEqual(once + possiblyBilled);
      expect(seen.length).toBeLessThanOrEqual(calls);
      // A reply of a child's root that was cut behind a cell that had begun is not asked for again: at most one a child.
      expect(calls - possiblyBilled).toBeLessThanOrEqual(once);
      expect(calls - possiblyBilled).toBeGreaterThanOrEqual(once - CHILDREN);
    },
    120_000,
  );
});
