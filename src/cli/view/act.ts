import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { RlmError } from '../../errors.ts';
import type { RunRecord } from '../../store/index.ts';
import { openToWrite, runNotFound } from '../options/store.ts';
import { askProcess, cancelled, type ownerOf } from '../runs/cancel.ts';

/** Milliseconds that a process is given to stop. */
const WAIT_MS = 15_000;

export interface Acting {
  /** The folder of the store. */
  readonly folder: string;
  readonly note: (line: string) => void;
}

/**
 * Cancels a run of another process, or asks it for its best answer. Both are signals, so they go to the command only: a
 * server would end with all of its runs.
 *
 * @throws RlmError `run-not-found`, `invalid-option` where no signal may be sent
 */
export async function actOn(action: 'cancel' | 'finish', id: string, { folder, note }: Acting): Promise<void> {
  await using keeping = openToWrite(folder);
  const { store } = keeping;
  const record = await store.runs.get(id);
  if (record === undefined) throw runNotFound(id, store);
  if (record.owner !== undefined && record.status === 'running') throw belongsElsewhere(record, action);
  if (action === 'cancel') {
    await cancelled(id, { store, wait: WAIT_MS, note });
    return;
  }
  if (record.status !== 'running') throw notRunning(record);
  const owner = await lockOwner(id, { store });
  if (owner === undefined) throw notRunning(record);
  if (!isCommand(owner.pid)) throw noCommand(record, owner.pid);
  askProcess(id, owner, 'SIGINT');
}

/** The process that has the lock of the run. Ending a run that is locked is refused with its name. */
async function lockOwner(
  id: string,
  { store }: Pick<Parameters<typeof cancelled>[1], 'store'>,
): Promise<ReturnType<typeof ownerOf>> {
  const lock = await store.lock(`run ${id}`, 'asks for the owner');
  if (!lock.ok) return lock.process;
  lock.lock.release();
  return undefined;
}

/** Whether the process is `fathom ask`, `chat` or `resume`, for which Ctrl-C means the best answer now. */
function isCommand(pid: number): boolean {
  try {
    const line =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return /(?:fathom|main\.m?[jt]s) (?:.* )?(?:ask|chat|resume)\b/.test(line);
  } catch {
    return false; // It has ended, or this system does not show it.
  }
}

function belongsElsewhere({ id, owner }: RunRecord, action: string): RlmError {
  const message = `Run ${id} belongs to a ${owner?.door ?? 'server'}: ${action} it there, on the page of that server.`;
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { runId: id } });
}

function notRunning({ id, status }: RunRecord): RlmError {
  const message = `Run ${id} cannot be asked for its answer: it is not running (${status}).`;
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { runId: id, status } });
}

function noCommand({ id }: RunRecord, pid: number): RlmError {
  const message = `Run ${id} runs in process ${pid}, which is not the command fathom: ask that program for its answer.`;
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { runId: id, pid } });
}
