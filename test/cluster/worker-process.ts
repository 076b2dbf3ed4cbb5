/**
 * A worker of the tests, as a process of its own: `node worker-process.ts REDIS QUEUE LEASE_MS`. It prints a line when it is ready.
 *
 * @module
 */
import { argv, env } from 'node:process';
import { startWorker } from '../../src/cluster/index.ts';

const [redis = '', queue = '', leaseMs = ''] = argv.slice(2);
await startWorker({
  redis,
  queue,
  leaseMs: Number(leaseMs),
  concurrency: Number(env.FATHOM_WORKER_PLACES ?? 3),
  onLine: (line) => console.log(line),
});
console.log('ready');
