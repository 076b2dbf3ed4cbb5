/**
 * Children over workers, with latencies as models have them: log-normal, median 5 s (`CLUSTER_BENCH_MEDIAN_MS`), which follow from the
 * prompt. The floor is the ideal: the same latencies packed onto as many places, without any other work.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectCluster } from '../src/cluster/index.ts';
import { createRlm } from '../src/index.ts';
import { startMockProvider } from '../test/mock-provider/index.ts';
import { NO_REDIS, startRedis } from '../test/servers/redis-server.ts';
import { report } from './support/report.ts';

const CHILDREN = Number(process.env.CLUSTER_BENCH_CHILDREN ?? 100);
const MEDIAN_MS = Number(process.env.CLUSTER_BENCH_MEDIAN_MS ?? 5_000);
/** Spread of the latencies: the standard deviation of their logarithm. */
const SIGMA = 0.5;
const PLACES = 8;
const CONTEXT_BYTES = 1_000_000;
const WORKER = fileURLToPath(new URL('../test/cluster/worker-process.ts', import.meta.url));

/** The latency of a child's one sub-call: a quantile of the log-normal distribution for its number. */
function latencyOf(child: number): number {
  // Numbers that are spread evenly: the golden ratio.
  const share = (child * 0.618_033_988_749_895 + 0.5) % 1;
  return MEDIAN_MS * Math.exp(SIGMA * normalQuantile(share));
}

/** Quantile of the logistic distribution, which is close to the normal one. */
function normalQuantile(share: number): number {
  return Math.log(share / (1 - share)) / 1.702;
}

/** The makespan of the latencies on so many places, in the order in which they are asked for. */
function idealMs(places: number): number {
  const free = Array.from({ length: places }, () => 0);
  for (let child = 0; child < CHILDREN; child++) {
    const next = free.indexOf(Math.min(...free));
    free[next] = (free[next] ?? 0) + latencyOf(child);
  }
  return Math.max(...free);
}

async function measure(workers: number, redis: string): Promise<void> {
  const mock = await startMockProvider({
    respond({ system, messages, prompt }) {
      if (!system.includes('You answer a query')) return { text: 'flat', latencyMs: latencyOf(Number(prompt)) };
      const query = messages.find(
        ({ role, content }) => role === 'user' && content.startsWith('Query:\nCHILD'),
      )?.content;
      const number = /CHILD (\d+)/.exec(query ?? '')?.[1];
      const cell =
        number === undefined
          ? `asked = [(f"CHILD {i}", shared) for i in range(${CHILDREN})]\nFINAL(str(sum(r.ok for r in rlm_query_batched(asked))))`
          : `print(len(context))\nFINAL(llm_query("${number}"))`;
      return { text: `\`\`\`repl\n${query === undefined ? `shared = "x" * ${CONTEXT_BYTES}\n` : ''}${cell}\n\`\`\`` };
    },
  });
  const queue = `bench-${workers}`;
  const env = { ...process.env, ...mock.env, FATHOM_WORKER_PLACES: String(PLACES) };
  const processes = Array.from({ length: workers }, () =>
    spawn(process.execPath, ['--no-warnings', WORKER, redis, queue, '15000'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  await Promise.all(processes.map(async ({ stdout }) => await once(createInterface({ input: stdout }), 'line')));
  Object.assign(process.env, mock.env);
  const places = workers * PLACES;
  const limits = {
    ...{ maxDepth: 2, maxConcurrentChildren: places, maxConcurrentCalls: 1_000, maxSubCalls: 10_000 },
    ...{ maxTokens: 1_000_000_000, maxDurationMs: 3_600_000, cellTimeoutMs: 3_600_000 },
  };
  {
    await using cluster = await connectCluster({ redis, queue });
    await using rlm = createRlm({ model: 'openai/gpt-5', cluster, limits });
    const started = performance.now();
    const { answer } = await rlm.completion({ query: 'ROOT', context: 'a context' });
    const wall = performance.now() - started;
    if (answer !== String(CHILDREN)) throw new Error(`${answer} of ${CHILDREN} children answered`);
    const ideal = idealMs(places);
    report({
      name: `${CHILDREN} children, ${workers} × ${PLACES} places: share of the ideal time`,
      measured: ideal / wall,
      unit: '',
      bar: 0.95,
      atLeast: true,
    });
    const rate = (CHILDREN / wall) * 1_000;
    console.log(
      `    (${(wall / 1_000).toFixed(1)} s, ideal ${(ideal / 1_000).toFixed(1)} s; ${rate.toFixed(1)} children/s)`,
    );
  }
  for (const child of processes) child.kill('SIGKILL');
  await mock.close();
}

if (NO_REDIS === undefined) {
  const redis = await startRedis();
  for (const workers of [1, 2, 4]) await measure(workers, redis.url);
  await redis.stop();
} else {
  console.log(`  skipped: ${NO_REDIS}`);
}
