import type { Job } from 'bullmq';
import type { RlmOptions } from '../rlm-options.ts';
import type { Store } from '../store/index.ts';
import { type Cluster, connectCluster } from './cluster.ts';
import { type ClusterConnection, type ClusterOptions, withoutRedis } from './connection.ts';
import { RunHost } from './run-host.ts';
import type { RunJob } from './run-job.ts';
import type { WorkerFacts } from './worker-facts.ts';

export interface RunWorkerOptions {
  readonly cluster: ClusterOptions;
  readonly connection: ClusterConnection;
  readonly openStore: () => Store;
  /** Options of the runs, without store and cluster. */
  readonly rlm: RlmOptions;
  /** Runs at once. */
  readonly runs: number;
  readonly leaseMs: number;
  /** Workers that may end while they have the same run. */
  readonly mostWorkers: number;
  readonly facts: WorkerFacts;
  readonly onLine: (line: string) => void;
}

/** The part of a worker that has whole runs. Their children are jobs like any others. */
export interface RunWorker {
  /** Runs under way. */
  readonly active: number;
  /** Takes no more runs; resolves when those under way have ended, or with `now` when they are left to other workers. */
  close(now: boolean): Promise<void>;
}

/** Milliseconds until a run that cannot continue now is tried again: the lease of its last owner may have to end first. */
const LATER_MS = 1_000;

export async function startRunWorker(options: RunWorkerOptions): Promise<RunWorker> {
  const { connection, openStore, rlm, runs, leaseMs, mostWorkers, facts, onLine } = options;
  const { bullmq } = connection.packages;
  const cluster: Cluster = await connectCluster(options.cluster);
  const host = new RunHost({ openStore, rlm: { ...rlm, maxRepls: runs, cluster }, facts, onLine });
  const serve = async (job: Job<RunJob>, token: string | undefined): Promise<void> => {
    if ((await host.run(job)) === 'ended') return;
    await job.moveToDelayed(Date.now() + LATER_MS, token);
    throw new bullmq.DelayedError();
  };
  const worker = new bullmq.Worker<RunJob>(connection.runQueueName, serve, {
    ...{ connection: connection.connect(), concurrency: runs },
    ...{ lockDuration: leaseMs, stalledInterval: Math.ceil(leaseMs / 2), maxStalledCount: mostWorkers },
  });
  worker.on('error', () => undefined);
  return {
    get active() {
      return host.active;
    },
    async close(now) {
      if (now) await host.close();
      // Jobs that were left go back to the queue before the connection closes.
      await (now ? withoutRedis(worker.close()) : worker.close());
      await host.close();
      await cluster.close();
    },
  };
}
