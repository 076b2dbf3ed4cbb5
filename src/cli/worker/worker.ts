import { invalidOption } from '../../argument-checks.ts';
import { startWorker, type WorkerOptions } from '../../cluster/index.ts';
import { defined } from '../../defined.ts';
import { EXIT } from '../exit-codes.ts';
import { openToWrite } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { counted } from '../screen/figures.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import { type SignalSource, untilSignal } from '../watch/interrupts.ts';
import { serveMetrics } from './metrics-server.ts';

/** The options of `fathom worker`. */
export interface WorkerCommandOptions {
  readonly redis?: string;
  readonly queue: string;
  readonly store?: string;
  readonly concurrency?: number;
  readonly runs?: number;
  readonly repl: string;
  readonly maxRepls?: number;
  /** A port. */
  readonly metrics?: number;
}

/** Characters of one line about a child or a run. */
const LINE_CHARS = 300;

/** Works until SIGINT or SIGTERM: then it takes no more children, and ends when those under way have ended. Resolves with the exit code. */
export async function work(
  { redis, queue, store, concurrency, runs, repl, maxRepls, metrics }: WorkerCommandOptions,
  { console, signals }: { readonly console: Console; readonly signals: SignalSource },
): Promise<number> {
  const line = (text: string): void => void console.stderr.write(`${onOneLine(text, LINE_CHARS)}\n`);
  if (redis === undefined)
    throw invalidOption('A worker needs --redis, or FATHOM_REDIS: such as redis://localhost:6379');
  const stopping = untilSignal(signals);
  const options = {
    ...{ redis, queue, repl: repl as WorkerOptions['repl'], concurrency, runs, maxRepls, onLine: line },
    store: store === undefined ? undefined : () => openToWrite(store).store,
  };
  await using worker = await startWorker(defined(options) as WorkerOptions);
  await using served = metrics === undefined ? undefined : await serveMetrics(metrics, () => worker.metrics());
  if (served !== undefined) line(`Metrics: ${served.url}`);
  line(`Working on the queue ${queue}. Stop it with Ctrl+C: it lets what is under way end.`);
  const lost = await Promise.race([stopping, worker.lost]);
  if (lost !== undefined) {
    await worker.close({ now: true });
    throw lost;
  }
  line(`Stopping after ${counted(worker.activeRuns, 'run')} and ${worker.active} children under way.`);
  await worker.close();
  return EXIT.answered;
}
