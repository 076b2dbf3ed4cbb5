/**
 * A worker of the tests, as a process of its own: `node worker-process.ts REDIS QUEUE LEASE_MS [STORE]`. It prints a line when it is
 * ready, and drains at SIGTERM.
 *
 * @module
 */
import { argv, env } from 'node:process';
import { startWorker } from '../../src/cluster/index.ts';
import { openKillStore } from '../resume/kill-script.ts';

const [redis = '', queue = '', leaseMs = '', store] = argv.slice(2);
const worker = await startWorker({
  redis,
  queue,
  leaseMs: Number(leaseMs),
  concurrency: Number(env.FATHOM_WORKER_PLACES ?? 3),
  ...(store !== undefined && { store: () => openKillStore(store), runs: 2 }),
  onLine: (line) => console.log(line),
});
console.log('ready');
process.once('SIGTERM', () => {
  void worker.close().then(() => console.log('drained'));
  console.log('draining');
});
