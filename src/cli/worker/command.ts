import { type Command, Option } from 'commander';
import { count } from '../options/values.ts';
import type { Surroundings } from '../runs/commands.ts';
import { reported } from '../screen/error-report.ts';
import type { WorkerCommandOptions } from './worker.ts';

/** The Redis of `fathom worker` and of `--workers`: its URL may hold a password, which a command line shows to others. */
const REDIS = 'FATHOM_REDIS';

/** Adds `fathom worker`. The packages of Redis are loaded on demand. */
export function addWorkerCommand(fathom: Command, { console, end }: Surroundings): void {
  fathom
    .command('worker')
    .description('run children of other machines’ runs, and whole runs; see docs/cluster.md')
    .addOption(new Option('--redis <url>', 'the Redis server, such as redis://localhost:6379').env(REDIS))
    .option('--queue <name>', 'the queue of its work', 'fathom')
    .addOption(new Option('--store <url>', 'take whole runs of this store as well').env('FATHOM_STORE'))
    .option('--concurrency <n>', 'children at once (default: from memory and cores)', count)
    .option('--runs <n>', 'with --store: whole runs at once (default: a quarter of --max-repls)', count)
    .option('--metrics <port>', 'serve metrics for Prometheus on this port of 127.0.0.1; 0: any free one', count)
    .option('--repl <kind>', 'where code runs: auto, python or pyodide', 'auto')
    .option('--max-repls <n>', 'REPLs open at once (default: from memory and cores)', count)
    .action(async (options: WorkerCommandOptions) => {
      const { work } = await import('./worker.ts');
      end(await reported({}, console, () => work(options, { console, signals: process })));
    });
}
