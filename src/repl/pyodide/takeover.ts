/**
 * Brings a REPL back in a fresh child after the old one was killed: pages and files from the old store, texts from
 * where they came from.
 *
 * @module
 */
import { read as readCallback, write as writeCallback } from 'node:fs';
import { promisify } from 'node:util';
import { RlmError } from '../../errors.ts';
import { PAGE, RUNTIME } from './child/protocol.ts';
import type { ChildHandle } from './child-handle.ts';
import type { LoadedTexts } from './loaded-texts.ts';
import type { OwnedFile } from './owned-file.ts';
import type { SnapshotRecords } from './snapshot-records.ts';

const readAsync = promisify(readCallback);
const writeAsync = promisify(writeCallback);
/** Slots copied at once. */
const RUN = 256;

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
  await copySlots(store, child.store, records.usedSlots());
  for (const record of records.all()) await child.ask(RUNTIME.adopt, record.header, [record.table]);
  const reload = target.header.uses;
  const restored = child.ask(RUNTIME.restore, { name, reload });
  const sent = (async () => {
    for (const index of reload) await texts.resend(target.header.ranges[index]?.token ?? '', child.data);
  })();
  await Promise.all([restored, sent]);
}

/** Copies slots to the same places. */
async function copySlots(from: OwnedFile, to: OwnedFile, slots: readonly number[]): Promise<void> {
  const buffer = Buffer.allocUnsafe(RUN * PAGE);
  for (let start = 0; start < slots.length; ) {
    let end = start + 1;
    while (end < slots.length && end - start < RUN && slots[end] === (slots[start] ?? 0) + end - start) end += 1;
    const position = (slots[start] ?? 0) * PAGE;
    // The last slot of the file may be short.
    const { bytesRead } = await readAsync(from.fd, buffer, 0, (end - start) * PAGE, position);
    for (let done = 0; done < bytesRead; ) {
      done += (await writeAsync(to.fd, buffer, done, bytesRead - done, position + done)).bytesWritten;
    }
    start = end;
  }
}
