import { invalidOption } from '../../argument-checks.ts';
import { startWorker, type WorkerOptions } from '../../cluster/index.ts';
import { defined } from '../../defined.ts';
import { EXIT } from '../exit-codes.ts';
import type { Console } from '../screen/console.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import { type SignalSource, untilSignal } from '../watch/interrupts.ts';

/** The options of `fathom worker`. */
export interface WorkerCommandOptions {
  readonly redis?: string;
  readonly queue: string;
  readonly concurrency?: number;
  readonly repl: string;
  readonly maxRepls?: number;
}

/** Characters of one line about a child. */
const LINE_CHARS = 300;

/** Works until SIGINT or SIGTERM: then it takes no more children, and ends when those under way have ended. Resolves with the exit code. */
export async function work(
  { redis, queue, concurrency, repl, maxRepls }: WorkerCommandOptions,
  { console, signals }: { readonly console: Console; readonly signals: SignalSource },
): Promise<number> {
  const line = (text: string): void => void console.stderr.write(`${onOneLine(text, LINE_CHARS)}\n`);
  if (redis === undefined)
    throw invalidOption('A worker needs --redis, or FATHOM_REDIS: such as redis://localhost:6379');
  const stopping = untilSignal(signals);
  const options = { redis, queue, repl: repl as WorkerOptions['repl'], concurrency, maxRepls, onLine: line };
  await using worker = await startWorker(defined(options) as WorkerOptions);
  line(`Working on the queue ${queue}. Stop it with Ctrl+C: it lets the children under way end.`);
  await stopping;
  line(`Stopping after ${worker.active} children under way.`);
  await worker.close();
  return EXIT.answered;
}
