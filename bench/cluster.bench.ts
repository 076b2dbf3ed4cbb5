/**
 * Children over workers, with latencies as models have them: log-normal, median 5 s (`CLUSTER_BENCH_MEDIAN_MS`), which follow from the
 * prompt. The ideal: the same latencies packed onto as many places, without any other work. Four workers run
 * `CLUSTER_BENCH_CHILDREN` children (default 1 000), two half of them, and one a quarter (`CLUSTER_BENCH_WORKERS`, default
 * `1,2,4`). Wall time: on a quiet machine.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { connectCluster } from '../src/cluster/index.ts';
import { createRlm } from '../src/index.ts';
import { type Machine, noMachines, openNetwork, spawnOn } from '../test/servers/machines.ts';
import { NO_REDIS, startRedis } from '../test/servers/redis-server.ts';
import { idealMs } from './support/cluster-latency.ts';
import type { ClusterProviderData } from './support/cluster-provider.ts';
import { report } from './support/report.ts';

const CHILDREN = Number(process.env.CLUSTER_BENCH_CHILDREN ?? 1_000);
const MEDIAN_MS = Number(process.env.CLUSTER_BENCH_MEDIAN_MS ?? 5_000);
const COUNTS = (process.env.CLUSTER_BENCH_WORKERS ?? '1,2,4').split(',').map(Number);
const MOST_WORKERS = 4;
/** Children at once of each worker. */
const PLACES = Number(process.env.CLUSTER_BENCH_PLACES ?? 8);
const CONTEXT_BYTES = 1_000_000;
const WORKER = fileURLToPath(new URL('../test/cluster/worker-process.ts', import.meta.url));
/** Of the clock by which the kernel counts a process's time. */
const TICKS_PER_SECOND = 100;

interface Surroundings {
  readonly redis: string;
  /** Address of this process, as the workers see it. */
  readonly host: string;
  /** One for each worker; undefined where there can be no network namespaces. */
  readonly machines: readonly (Machine | undefined)[];
}

async function measure(workers: number, { redis, host, machines }: Surroundings): Promise<void> {
  const children = Math.round((CHILDREN * workers) / MOST_WORKERS);
  const workerData: ClusterProviderData = { children, medianMs: MEDIAN_MS, contextBytes: CONTEXT_BYTES, host };
  const provider = new Worker(new URL('./support/cluster-provider.ts', import.meta.url), { workerData });
  const [providerEnv] = (await once(provider, 'message')) as [Readonly<Record<string, string>>];
  const queue = `bench-${workers}`;
  const folders = Array.from({ length: workers }, () => mkdtempSync(join(tmpdir(), 'fathom-bench-')));
  const processes = folders.map((folder, index) => {
    const env = {
      ...process.env,
      ...providerEnv,
      FATHOM_WORKER_PLACES: String(PLACES),
      FATHOM_CACHE_DIR: folder,
    };
    const command = [process.execPath, '--no-warnings', WORKER, redis, queue, '15000'] as const;
    return spawnOn(machines[index], command, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  });
  try {
    await Promise.all(processes.map(firstLine));
    Object.assign(process.env, providerEnv);
    const places = workers * PLACES;
    const before = { busy: busySeconds(), own: process.threadCpuUsage(), workers: processes.map(cpuSeconds) };
    const wall = await ask(children, { redis, queue, places });
    const own = process.threadCpuUsage(before.own);
    const busy = busySeconds() - before.busy;
    const ofWorkers = processes.reduce((sum, each, at) => sum + cpuSeconds(each) - (before.workers[at] ?? 0), 0);
    const ideal = idealMs(places, { children, medianMs: MEDIAN_MS });
    const name = `${children} children, ${workers} × ${PLACES} places: share of the ideal time`;
    report({ name, measured: ideal / wall, unit: '', bar: 0.95, atLeast: true });
    const perChild = (seconds: number): string => `${((seconds * 1_000) / children).toFixed(1)} ms`;
    console.log(
      `    ${(wall / 1_000).toFixed(1)} s, ideal ${(ideal / 1_000).toFixed(1)} s; ${((children / wall) * 1_000).toFixed(2)} children/s; ` +
        `CPU of a child: ${perChild((own.user + own.system) / 1e6)} in the process that asks, ${perChild(ofWorkers)} in the ` +
        `process of its worker, ${perChild(busy)} of the whole machine`,
    );
    console.log(
      `    context of ${CONTEXT_BYTES} bytes; on each machine: ${folders.map(contextBytes).join(', ')} bytes`,
    );
  } finally {
    for (const each of processes) each.kill('SIGKILL');
    await provider.terminate();
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

async function ask(
  children: number,
  { redis, queue, places }: { readonly redis: string; readonly queue: string; readonly places: number },
): Promise<number> {
  const limits = {
    // Twice as many as there are places: a place that is free finds a child that waits.
    ...{ maxDepth: 2, maxConcurrentChildren: 2 * places, maxConcurrentCalls: 1_000, maxSubCalls: 10_000 },
    ...{ maxTokens: 1_000_000_000, maxDurationMs: 3_600_000, cellTimeoutMs: 3_600_000 },
  };
  await using cluster = await connectCluster({ redis, queue });
  await using rlm = createRlm({ model: 'openai/gpt-5', cluster, limits });
  const started = performance.now();
  const { answer } = await rlm.completion({ query: 'ROOT', context: 'a context' });
  const wall = performance.now() - started;
  if (answer !== String(children)) throw new Error(`${answer} of ${children} children answered`);
  return wall;
}

async function firstLine({ stdout }: ChildProcess): Promise<void> {
  if (stdout !== null) await once(createInterface({ input: stdout }), 'line');
}

/** Seconds that a process has used, without its children. */
function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Seconds for which the processors of this machine were busy. */
function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice, 0) / 1_000;
}

/** Bytes of contexts in the cache of a machine. */
function contextBytes(folder: string): string {
  const contexts = join(folder, 'contexts');
  const files = readdirSync(contexts);
  return `${files.length} × ${files.reduce((sum, name) => sum + statSync(join(contexts, name)).size, 0) / files.length}`;
}

if (NO_REDIS === undefined) {
  const unconnected = noMachines();
  const network = unconnected === undefined ? openNetwork() : undefined;
  if (unconnected !== undefined) console.log(`  workers share a network: ${unconnected}`);
  const redis = await startRedis(network?.machine('redis'));
  const machines = Array.from({ length: MOST_WORKERS }, (_, index) => network?.machine(`worker-${index}`));
  for (const workers of COUNTS)
    await measure(workers, { redis: redis.url, host: network?.address ?? '127.0.0.1', machines });
  await redis.stop();
  network?.close();
} else {
  console.log(`  skipped: ${NO_REDIS}`);
}
