/**
 * Brings a REPL back in a fresh worker after the old one was killed: pages and files from the old store, texts from
 * where they came from.
 *
 * @module
 */
import { RlmError } from '../../errors.ts';
import type { LoadedTexts } from './loaded-texts.ts';
import { copyBytes, type OwnedFile } from './owned-file.ts';
import type { SnapshotRecords } from './snapshot-records.ts';
import { RUNTIME } from './worker/protocol.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface RestoreRequest {
  /** The store of the worker that is gone. */
  readonly store: OwnedFile;
  readonly worker: WorkerHandle;
  readonly records: SnapshotRecords;
  readonly texts: LoadedTexts;
  /** The snapshot to go back to. */
  readonly name: string;
}

/** Fills the fresh worker. @throws RlmError `repl-failure`, `context-invalid` when a text is not what it was */
export async function restoreIntoWorker({ store, worker, records, texts, name }: RestoreRequest): Promise<void> {
  const target = records.get(name);
  if (target === undefined)
    throw new RlmError({ code: 'repl-failure', message: 'There is no snapshot to go back to.' });
  // The slots keep their numbers: the file is copied as it is.
  await copyBytes(store, worker.store, records.storeBytes());
  for (const record of records.all()) await worker.ask(RUNTIME.adopt, record.header, [record.table]);
  const reload = target.header.uses;
  const restored = worker.ask(RUNTIME.restore, { name, reload });
  const sent = (async () => {
    for (const index of reload) await texts.resend(target.header.ranges[index]?.token ?? '', worker.data);
  })();
  await Promise.all([restored, sent]);
}
