import { hostname } from 'node:os';
import { RlmError } from '../../errors.ts';
import type { RunRecord } from '../../store/index.ts';
import { openToWrite, runNotFound } from '../options/store.ts';
import { cancelled } from '../runs/cancel.ts';

/** Milliseconds that a process is given to stop. */
const WAIT_MS = 15_000;

export interface Acting {
  /** The folder of the store. */
  readonly folder: string;
  readonly note: (line: string) => void;
}

/**
 * Cancels a run of another process, or asks it for its best answer, wherever it runs.
 *
 * @throws RlmError `run-not-found`, `invalid-option` for a run that is not running
 */
export async function actOn(action: 'cancel' | 'finish', id: string, { folder, note }: Acting): Promise<void> {
  await using keeping = openToWrite(folder);
  const { store } = keeping;
  const record = await store.runs.get(id);
  if (record === undefined) throw runNotFound(id, store);
  if (action === 'cancel') {
    await cancelled(id, { store, wait: WAIT_MS, note });
    return;
  }
  if (record.status !== 'running') throw notRunning(record);
  await store.stops.put(id, {
    action,
    reason: `the page of \`fathom view\` on ${hostname()} asked for the best answer`,
  });
}

function notRunning({ id, status }: RunRecord): RlmError {
  const message = `Run ${id} cannot be asked for its answer: it is not running (${status}).`;
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { runId: id, status } });
}
