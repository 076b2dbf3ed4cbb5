import { text } from 'node:stream/consumers';
import type { BashResult, CellResult, ExecuteOptions } from '../../session/session.ts';
import { STDIN } from '../context/context-arguments.ts';
import { EXIT } from '../exit-codes.ts';
import type { ModelOptions } from '../options/models.ts';
import type { StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal, writeJson } from '../screen/terminal-text.ts';
import type { Interrupts } from '../watch/interrupts.ts';
import type { WatchInterrupts } from '../watch/show-run.ts';
import { withSession } from './with-session.ts';

/** The options of `fathom session exec` and `bash`. */
export interface RunOptions extends StoreOptions, ModelOptions {
  /** Seconds of the cell's own time. */
  readonly timeout?: number;
  readonly json?: true;
}

/** One cell or bash command. */
export interface RunCode {
  readonly id: string;
  /** `-`: from standard input. */
  readonly source: string;
  readonly options: RunOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
}

/** Runs a cell: what it prints goes where it printed it, its value to standard output. Resolves with the exit code. */
export async function execute(run: RunCode): Promise<number> {
  return await running(run, (session, source, options) => session.execute(source, options), showCell);
}

/** Runs a bash command on the files of the cells. Resolves with the exit code. */
export async function bash(run: RunCode): Promise<number> {
  return await running(run, (session, source, options) => session.bash(source, options), showBash);
}

type Session = Parameters<Parameters<typeof withSession>[1]>[0]['session'];

async function running<T extends { readonly ok: boolean }>(
  { id, source, options, console, interrupts: watch }: RunCode,
  work: (session: Session, source: string, options: ExecuteOptions) => Promise<T>,
  show: (result: T, console: Console) => void,
): Promise<number> {
  const code = source === STDIN ? await text(console.stdin) : source;
  const note = (line: string): void => void console.stderr.write(`${line}\n`);
  const interrupts = watch(note);
  try {
    const { signal } = interrupts;
    const { timeout } = options;
    const timed = timeout === undefined ? {} : { timeoutMs: Math.ceil(timeout * 1_000) };
    const result = await withSession({ id, options, console, note }, async ({ session }) => {
      signal.throwIfAborted();
      return await work(session, code, { signal, ...timed });
    });
    if (options.json === true) writeJson(console.stdout, result);
    else show(result, console);
    return stopCode(interrupts) ?? (result.ok ? EXIT.answered : EXIT.failed);
  } catch (error) {
    const stopped = stopCode(interrupts);
    if (stopped === undefined) throw error;
    note('fathom: stopped.');
    return stopped;
  } finally {
    interrupts.dispose();
  }
}

function stopCode({ terminated, signal }: Interrupts): number | undefined {
  if (terminated) return EXIT.terminated;
  return signal.aborted ? EXIT.interrupted : undefined;
}

/** Shows what a cell printed, its value and its error. */
export function showCell({ stdout, stderr, value, error, answer, timedOut }: CellResult, console: Console): void {
  write(console.stdout, stdout);
  write(console.stderr, stderr);
  if (value !== null) write(console.stdout, `${value}\n`);
  if (error !== null) write(console.stderr, ended(error.traceback));
  if (timedOut) write(console.stderr, 'The cell was interrupted: its time was up (--timeout).\n');
  if (answer !== undefined) write(console.stderr, `The cell gave an answer: ${ended(answer)}`);
}

function showBash({ stdout, stderr, exitCode, ok, timedOut }: BashResult, console: Console): void {
  write(console.stdout, stdout);
  write(console.stderr, stderr);
  if (timedOut) write(console.stderr, 'The command was interrupted: its time was up (--timeout).\n');
  else if (!ok) write(console.stderr, `The command ended with exit code ${exitCode}.\n`);
}

/** Writes output of a cell: byte for byte into files and pipes, escaped on a terminal. */
function write(stream: Console['stdout'], output: string): void {
  if (output !== '') stream.write(stream.isTTY === true ? forTerminal(output) : output);
}

function ended(output: string): string {
  return output.endsWith('\n') ? output : `${output}\n`;
}
