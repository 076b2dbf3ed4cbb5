import type { Command } from 'commander';
import type { Cluster } from '../../cluster/index.ts';
import { defined } from '../../defined.ts';

/** Declares `--workers`. */
export function addWorkersOption(command: Command): Command {
  return command
    .option('--workers <url>', 'run children on the workers of this Redis (with --max-depth 2); see docs/cluster.md')
    .option('--queue <name>', 'with --workers: their queue (default: fathom)');
}

/** Options of a command whose runs may use workers. */
export interface WorkersOptions {
  readonly workers?: string;
  readonly queue?: string;
}

/** The workers that `--workers` names; without it, none. */
export async function connectWorkers({ workers, queue }: WorkersOptions): Promise<Cluster | undefined> {
  if (workers === undefined) return undefined;
  // The packages of Redis are loaded where workers are named.
  const { connectCluster } = await import('../../cluster/index.ts');
  return await connectCluster({ redis: workers, ...defined({ queue }) });
}
