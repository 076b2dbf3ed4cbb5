import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../clock.ts';
import { RlmError } from '../../errors.ts';
import { abortRun } from '../../resume/abort-run.ts';
import type { LockOwner, RunRecord, RunStatus, StopRequest, Store } from '../../store/index.ts';
import { runFacts } from '../../view/run-facts.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { EXIT } from '../exit-codes.ts';
import { runIdOf } from '../options/ids.ts';
import { openToWrite, runNotFound, type StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { writeJson } from '../screen/terminal-text.ts';

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
 * Ends a run for good. One that runs in another process is stopped there: the process that has the lock of the run is
 * asked to end, and the run is awaited. One that is interrupted or paused is recorded as aborted.
 *
 * @throws RlmError `run-not-found`, `invalid-option` when it has ended or its process cannot be asked, `timeout` when
 *   its process does not stop
 */
export async function cancel(given: string, options: CancelOptions, { stdout, stderr }: Console): Promise<number> {
  await using keeping = openToWrite(options.store);
  const { store } = keeping;
  const id = await runIdOf(given, store, ['queued', 'running', 'interrupted', 'paused']);
  const record = await cancelled(id, { store, wait: options.wait, note: (line) => stderr.write(`${line}\n`) });
  if (options.json === true) writeJson(stdout, await runFacts(record, store));
  else stderr.write(`${words(record)}\n`);
  return EXIT.answered;
}

interface Cancelling {
  readonly store: Store;
  readonly wait: number;
  readonly note: (line: string) => void;
}

/** Ends a run, wherever it runs, and gives its record. @throws as {@link cancel} */
export async function cancelled(id: string, { store, wait, note }: Cancelling): Promise<RunRecord> {
  const before = await store.runs.get(id);
  if (before === undefined) throw runNotFound(id, store);
  if (ENDED.has(before.status)) throw hasEnded(before);
  const deadline = Date.now() + wait;
  let asked = false;
  for (;;) {
    const owner = await abortHere(id, store);
    if (!('pid' in owner)) {
      // Its owner may have ended without reading the request.
      if (asked) await store.stops.delete(id);
      return owner;
    }
    if (!asked) {
      const where = owner.host === hostname() ? '' : ` on ${owner.host}`;
      note(`Run ${id} runs in process ${owner.pid}${where}: asking it to stop.`);
      await askOwner(before, owner, { store, action: 'cancel' });
      asked = true;
    }
    if (Date.now() >= deadline) throw doesNotStop(id, owner, wait);
    await delay(LOOK_MS);
  }
}

/**
 * Asks the owner of a run to end it: a command of this machine by a signal, which ends it as well; a server, a worker, and a process that no
 * signal reaches by a request in the store.
 */
export async function askOwner(
  { id, owner: door }: Pick<RunRecord, 'id' | 'owner'>,
  owner: LockOwner,
  { store, action }: { readonly store: Store; readonly action: StopRequest['action'] },
): Promise<void> {
  if (owner.confirmed && door === undefined) {
    askProcess(id, owner, action === 'cancel' ? 'SIGTERM' : 'SIGINT');
    return;
  }
  await store.stops.put(id, { action, reason: `\`fathom ${action}\` was called on ${hostname()}` });
}

/** The run's record once it is aborted by this process, or has ended; else the process that works on it. */
async function abortHere(id: string, store: Store): Promise<RunRecord | LockOwner> {
  try {
    const aborted = await abortRun(id, { store, clock: systemClock, reason: 'cancelled with `fathom cancel`' });
    await sweepInput(store);
    return aborted;
  } catch (error) {
    const owner = ownerOf(error);
    if (owner !== undefined) return owner;
    // It ended while it was waited for.
    const record = await store.runs.get(id);
    if (record !== undefined && ENDED.has(record.status)) return record;
    throw error;
  }
}

/** The process that a `run-locked` error names. */
export function ownerOf(error: unknown): LockOwner | undefined {
  if (!RlmError.isInstance(error) || error.code !== 'run-locked') return undefined;
  return (error.data as { readonly process?: LockOwner }).process;
}

/** @throws RlmError when this user may not send the process a signal */
function askProcess(id: string, { pid }: LockOwner, signal: 'SIGTERM' | 'SIGINT'): void {
  try {
    process.kill(pid, signal);
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

function doesNotStop(id: string, { pid, host }: LockOwner, wait: number): RlmError {
  return new RlmError({
    code: 'timeout',
    message: `Process ${pid} was asked to stop run ${id} and did not end within ${Math.round(wait / 1_000)} s: it may be a program that does not end on SIGTERM, or cut off from the store. End it, then cancel the run again.`,
    retryable: true,
    userAction: true,
    data: { runId: id, pid, host },
  });
}
