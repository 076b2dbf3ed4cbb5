/**
 * Brings a REPL back in a fresh child after the old one was killed: pages and files from the old store, texts from
 * where they came from.
 *
 * @module
 */
import { read as readCallback, write as writeCallback } from 'node:fs';
import { promisify } from 'node:util';
import { RlmError } from '../../errors.ts';
import { RUNTIME } from './child/protocol.ts';
import type { ChildHandle } from './child-handle.ts';
import type { LoadedTexts } from './loaded-texts.ts';
import type { OwnedFile } from './owned-file.ts';
import type { SnapshotRecords } from './snapshot-records.ts';

const readAsync = promisify(readCallback);
const writeAsync = promisify(writeCallback);
const PIECE = 4 * 1024 * 1024;

export interface TakeoverRequest {
  /** The store of the child that is gone. */
  readonly store: OwnedFile;
  readonly child: ChildHandle;
  readonly records: SnapshotRecords;
  readonly texts: LoadedTexts;
  /** The snapshot to go back to. */
  readonly name: string;
}

/** Fills the fresh child. @throws RlmError `repl-failure`, `context-invalid` when a text is not what it was */
export async function takeOver({ store, child, records, texts, name }: TakeoverRequest): Promise<void> {
  const target = records.get(name);
  if (target === undefined)
    throw new RlmError({ code: 'repl-failure', message: 'There is no snapshot to go back to.' });
  await copyStore(store, child.store, records.storeBytes());
  for (const record of records.all()) await child.ask(RUNTIME.adopt, record.header, [record.table]);
  const reload = target.header.uses;
  const restored = child.ask(RUNTIME.restore, { name, reload });
  const sent = (async () => {
    for (const index of reload) await texts.resend(target.header.ranges[index]?.token ?? '', child.data);
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
