/**
 * The host's copies of what workers say about their snapshots: enough for a fresh worker to take over. The contents
 * are in the store file.
 *
 * @module
 */
import type { Frame } from '../channel/frame.ts';
import { ChannelViolation } from '../channel/limits.ts';
import { AUTOMATIC, type ImageHeader, PAGE } from './worker/protocol.ts';

/** One snapshot, as the worker described it. */
export interface SnapshotRecord {
  readonly header: ImageHeader;
  readonly table: Buffer;
}

/** The snapshots of one REPL. */
export interface SnapshotRecords {
  /** Takes a `saved` frame in. An automatic snapshot after the command that is awaited waits for {@link accept}. */
  add(frame: Frame): void;
  /** A command that runs code of the model begins: its snapshot counts only once its result was understood. */
  await(command: number): void;
  /** The last result was understood. */
  accept(): void;
  /** The worker is lost: a snapshot that still waits is dropped. */
  discard(): void;
  get(name: string): SnapshotRecord | undefined;
  delete(name: string): void;
  all(): readonly SnapshotRecord[];
  /** Bytes that only this snapshot holds, other named ones considered. */
  ownBytes(name: string): number;
  /** Bytes of the store in use at most. */
  storeBytes(): number;
  /** The automatic snapshot could not be taken since it was last. */
  readonly stale: boolean;
}

/** Makes the collection. */
export function makeSnapshotRecords(): SnapshotRecords {
  const records = new Map<string, SnapshotRecord>();
  let stale = false;
  /** The command whose result is not yet understood; 0: none. */
  let awaited = 0;
  /** Taken after a command whose result the host has not yet understood. Its slots are apart from those it replaces. */
  let waiting: SnapshotRecord | undefined;

  function accept(): void {
    awaited = 0;
    if (waiting !== undefined) put(waiting);
    waiting = undefined;
  }

  function put(record: SnapshotRecord): void {
    if (record.header.name === AUTOMATIC) stale = false;
    records.set(record.header.name, record);
  }

  return {
    add(frame) {
      const header = frame.header as ImageHeader & { readonly full?: boolean };
      if (header.full === true) {
        stale = true;
        return;
      }
      if (typeof header.name !== 'string' || frame.body.length % 4 !== 0) {
        throw new ChannelViolation('a snapshot was described wrongly');
      }
      const record = { header, table: Buffer.from(frame.body) };
      if (frame.id !== 0 && frame.id === awaited) waiting = record;
      else put(record);
    },
    await(command) {
      accept();
      awaited = command;
    },
    accept,
    discard() {
      awaited = 0;
      waiting = undefined;
    },
    get: (name) => records.get(name),
    delete: (name) => void records.delete(name),
    all: () => [...records.values()],
    ownBytes(name) {
      const own = slotsIn(records.get(name));
      for (const [other, record] of records) {
        if (other !== name && other !== AUTOMATIC) for (const slot of slotsIn(record)) own.delete(slot);
      }
      return own.size * PAGE;
    },
    storeBytes: () => Math.max(0, ...[...records.values()].map((record) => record.header.nextSlot * PAGE)),
    get stale() {
      return stale;
    },
  };
}

/** Slots of the store that a snapshot refers to: of pages, and of files. */
function slotsIn(record: SnapshotRecord | undefined): Set<number> {
  const slots = new Set<number>();
  if (record === undefined) return slots;
  for (let at = 0; at + 4 <= record.table.length; at += 4) {
    const slot = record.table.readInt32LE(at);
    if (slot > 0) slots.add(slot);
  }
  const runs = record.header.fileSlots;
  for (let index = 0; index < runs.length; index += 2) {
    const first = runs[index] ?? 0;
    for (let count = 0; count < (runs[index + 1] ?? 0); count += 1) slots.add(first + count);
  }
  return slots;
}
