import { statSync } from 'node:fs';
import { readDocument } from '../../view/read-document.ts';
import { readRunFile } from '../../view/read-file.ts';
import type { RunDocument } from '../../view/run-document.ts';
import { runIdOf } from '../options/ids.ts';
import { openToLook, runNotFound } from '../options/store.ts';

/** Whether an argument names a file, not a run: ids have no dot and no slash. */
export function isFileName(given: string): boolean {
  return /[./\\]/.test(given) || statSync(given, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * The run of an id, the beginning of one, `last`, or a file.
 *
 * @throws RlmError `run-not-found`, `invalid-option` for a file that holds no run; StoreError
 */
export async function openDocument(given: string, folder: string): Promise<RunDocument> {
  if (isFileName(given)) return await readRunFile(given);
  await using keeping = openToLook(folder);
  const { store } = keeping;
  const id = await runIdOf(given, store);
  const record = await store.runs.get(id);
  if (record === undefined) throw runNotFound(id, store);
  return await readDocument(record, store);
}
