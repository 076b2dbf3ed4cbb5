/**
 * A provider that takes 50 requests a second, over 4 workers and 2 processes that ask (`CLUSTER_BENCH_CALLS` calls of each child,
 * default 50): the share of the limit that is used, and the share of requests that are refused. Wall time: on a quiet machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { measureRate, startLimited } from '../test/cluster/rate-limited.ts';
import { NO_REDIS, startRedis } from '../test/servers/redis-server.ts';
import { report } from './support/report.ts';

const CALLS = Number(process.env.CLUSTER_BENCH_CALLS ?? 50);
const WORKERS = 4;
const WORKER = fileURLToPath(new URL('../test/cluster/worker-process.ts', import.meta.url));

async function measure(name: string, headers: 'openai' | undefined, redis: string): Promise<void> {
  const limit = { perSecond: 50, burst: 50, ...(headers !== undefined && { headers }) };
  const load = { limit, askers: 2, children: 12, calls: CALLS };
  const mock = await startLimited(load);
  Object.assign(process.env, mock.env);
  const queue = `rates-${headers ?? 'none'}`;
  const env = { ...process.env, FATHOM_WORKER_PLACES: '3' };
  const workers = Array.from({ length: WORKERS }, () =>
    spawn(process.execPath, ['--no-warnings', WORKER, redis, queue, '15000'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  try {
    await Promise.all(workers.map(async ({ stdout }) => await once(createInterface({ input: stdout }), 'line')));
    const { used, usedInTheMiddle, refused, requests, seconds } = await measureRate(load, { mock, redis, queue });
    report({ name: `${name}: share of the limit that is used`, measured: used, unit: '', bar: 0.9, atLeast: true });
    report({ name: `${name}: refused`, measured: refused * 100, unit: '%', bar: 2 });
    console.log(
      `    (${requests} requests in ${seconds.toFixed(1)} s; ${usedInTheMiddle.toFixed(2)} of the limit in the middle half of the time)`,
    );
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    await mock.close();
  }
}

if (NO_REDIS === undefined) {
  const redis = await startRedis();
  await measure('limit in headers', 'openai', redis.url);
  await measure('limit without headers', undefined, redis.url);
  await redis.stop();
} else {
  console.log(`  skipped: ${NO_REDIS}`);
}
