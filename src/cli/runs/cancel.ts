import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../clock.ts';
import { RlmError } from '../../errors.ts';
import { abortRun } from '../../resume/abort-run.ts';
import type { RunRecord, RunStatus } from '../../store/index.ts';
import type { Console } from '../console.ts';
import { EXIT } from '../exit-codes.ts';
import { sweepInput } from '../spooled-input.ts';
import { type Holder, holderOf, isLocked, openToLook, openToWrite, runNotFound, type StoreOptions } from '../store.ts';
import { runFacts } from './run-facts.ts';

/** The options of `fathom cancel`. */
export interface CancelOptions extends StoreOptions {
  /** Milliseconds a process is given to stop. */
  readonly wait: number;
  readonly json?: true;
}

/** Milliseconds between two looks at the store. */
const LOOK_MS = 50;
const ENDED: ReadonlySet<RunStatus> = new Set(['completed', 'failed', 'aborted']);

/**
 * Ends a run for good. One that runs in another process is stopped there: the process that writes to the store is asked
 * to end, and the run is awaited. One that is interrupted or paused is recorded as aborted.
 *
 * @throws RlmError `run-not-found`, `invalid-option` when it has ended, `timeout` when its process does not stop, and
 *   StoreError when another process is in the way
 */
export async function cancel(id: string, options: CancelOptions, { stdout, stderr }: Console): Promise<number> {
  const record = await cancelled(id, options, (line) => stderr.write(`${line}\n`));
  if (options.json === true) {
    await using keeping = openToLook(options.store);
    stdout.write(`${JSON.stringify(await runFacts(record, keeping.store))}\n`);
  } else {
    stderr.write(`${words(record)}\n`);
  }
  return EXIT.answered;
}

async function cancelled(id: string, options: CancelOptions, note: (line: string) => void): Promise<RunRecord> {
  const before = await lookUp(id, options);
  if (ENDED.has(before.status)) throw hasEnded(before);
  const deadline = Date.now() + options.wait;
  let seen: number | undefined;
  let asked = false;
  for (;;) {
    const holder = await abortHere(id, options);
    if (!('pid' in holder)) return holder;
    const now = await lookUp(id, options);
    if (ENDED.has(now.status)) return now;
    // What the store calls interrupted is not what the process that writes to it runs.
    if (now.status !== 'running') throw inTheWay(id, now.status, holder);
    // Seen twice: a name left by a writer that died could for a moment stand for one that has just begun.
    if (!asked && holder.pid === seen) {
      note(`Run ${id} runs in process ${holder.pid}: asking it to stop.`);
      askToStop(id, holder);
      asked = true;
    }
    seen = holder.pid;
    if (Date.now() >= deadline) throw doesNotStop(id, holder, options.wait);
    await delay(LOOK_MS);
  }
}

/** The run's record once it is aborted by this process; the process that stands in the way when there is one. */
async function abortHere(id: string, { store: folder }: CancelOptions): Promise<RunRecord | Holder> {
  let keeping: ReturnType<typeof openToWrite>;
  try {
    keeping = openToWrite(folder);
  } catch (error) {
    const holder = holderOf(error);
    if (holder === undefined && !isLocked(error)) throw error;
    // Its name is not written yet: the next look knows it.
    return holder ?? { pid: 0, host: hostname() };
  }
  await using _ = keeping;
  const { store } = keeping;
  const record = await store.runs.get(id);
  if (record === undefined) throw runNotFound(id, store);
  // It ended while it was waited for.
  if (ENDED.has(record.status)) return record;
  const aborted = await abortRun(id, { store, clock: systemClock, reason: 'cancelled with `fathom cancel`' });
  await sweepInput(store);
  return aborted;
}

async function lookUp(id: string, { store: folder }: CancelOptions): Promise<RunRecord> {
  await using keeping = openToLook(folder);
  const record = await keeping.store.runs.get(id);
  if (record === undefined) throw runNotFound(id, keeping.store);
  return record;
}

/** @throws RlmError when the process is on another machine or belongs to somebody else */
function askToStop(id: string, { pid, host }: Holder): void {
  if (host !== hostname()) {
    throw new RlmError({
      code: 'invalid-option',
      message: `Run ${id} runs in process ${pid} on ${host}: cancel it there.`,
      userAction: true,
      data: { runId: id, pid, host },
    });
  }
  if (pid === 0) return;
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new RlmError({
      code: 'invalid-option',
      message: `Run ${id} runs in process ${pid}, which this user may not stop.`,
      userAction: true,
      cause: error,
      data: { runId: id, pid },
    });
  }
}

function words({ id, status, result }: RunRecord): string {
  if (status === 'aborted') return `Run ${id} is cancelled.`;
  return `Run ${id} had ended before it could be cancelled: ${result?.outcome ?? status}.`;
}

function hasEnded({ id, status, result }: RunRecord): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `Run ${id} cannot be cancelled: it has ended (${result?.outcome ?? status}).`,
    userAction: true,
    data: { runId: id, status },
  });
}

function inTheWay(id: string, status: RunStatus, { pid }: Holder): RlmError {
  return new RlmError({
    code: 'store-failure',
    message: `Run ${id} is ${status}, and process ${pid} is writing to the store for something else: cancel it once that has ended.`,
    retryable: true,
    userAction: true,
    data: { runId: id, pid },
  });
}

function doesNotStop(id: string, { pid }: Holder, wait: number): RlmError {
  return new RlmError({
    code: 'timeout',
    message: `Process ${pid} was asked to stop run ${id} and has not within ${Math.round(wait / 1_000)} s: it may be a program that does not end on SIGTERM. End it, then cancel the run again.`,
    retryable: true,
    userAction: true,
    data: { runId: id, pid },
  });
}
