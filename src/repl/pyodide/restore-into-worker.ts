/**
 * Brings a REPL back in a fresh worker after the old one was killed: pages and files from the old store, texts from
 * where they came from.
 *
 * @module
 */
import { read as readCallback, write as writeCallback } from 'node:fs';
import { promisify } from 'node:util';
import { RlmError } from '../../errors.ts';
import type { LoadedTexts } from './loaded-texts.ts';
import type { OwnedFile } from './owned-file.ts';
import type { SnapshotRecords } from './snapshot-records.ts';
import { RUNTIME } from './worker/protocol.ts';
import type { WorkerHandle } from './worker-handle.ts';

const readAsync = promisify(readCallback);
const writeAsync = promisify(writeCallback);
const PIECE = 4 * 1024 * 1024;

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
  await copyStore(store, worker.store, records.storeBytes());
  for (const record of records.all()) await worker.ask(RUNTIME.adopt, record.header, [record.table]);
  const reload = target.header.uses;
  const restored = worker.ask(RUNTIME.restore, { name, reload });
  const sent = (async () => {
    for (const index of reload) await texts.resend(target.header.ranges[index]?.token ?? '', worker.data);
  })();
  await Promise.all([restored, sent]);
}

/** The slots keep their numbers: the file is copied as it is. */
async function copyStore(from: OwnedFile, to: OwnedFile, bytes: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, bytes)));
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await readAsync(from.fd, buffer, 0, Math.min(buffer.length, bytes - at), at);
    if (bytesRead === 0) return;
    for (let done = 0; done < bytesRead; ) {
      done += (await writeAsync(to.fd, buffer, done, bytesRead - done, at + done)).bytesWritten;
    }
    at += bytesRead;
  }
}
