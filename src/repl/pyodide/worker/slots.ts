/**
 * The store: a file of fixed-size slots that the host owns and the worker fills. Its contents survive the worker.
 *
 * @module
 */
import { readSync, writeSync, writevSync } from 'node:fs';
import { FD, PAGE } from './protocol.ts';

/** Thrown when snapshots would take more than their quota. */
export class StoreFull extends Error {}

/** Slots with reference counts. Slot 0 is never used: 0 is a code of page tables. */
export interface Slots {
  /** First slot never used so far. */
  next: number;
  /** Slots that `count` more would take beyond what is free. @throws StoreFull */
  reserve(count: number): void;
  /** Takes slots, in runs where it can; each has no reference yet. */
  take(count: number): number[];
  retain(slots: Iterable<number>): void;
  release(slots: Iterable<number>): void;
  /** Writes `slots.length` pages that follow each other in `source`; the last one may be short. */
  write(slots: readonly number[], source: Uint8Array, offset: number, bytes: number): void;
  /** Writes pages of memory, each into the slot at its place in the list, with one call for slots that lie side by side. */
  writePages(slots: readonly number[], memory: Uint8Array, pages: readonly number[]): void;
  /** The content of a slot; valid until the next call. */
  read(slot: number): Uint8Array;
  /** Reads a run of slots straight to its place. */
  readInto(slots: readonly number[], target: Uint8Array, offset: number, bytes: number): void;
  setQuota(bytes: number): void;
}

/** Bytes of slot contents kept in memory so that comparing needs no system call. */
const CACHE_BYTES = 128 * 1024 * 1024;
/** Slots kept as one piece in the cache. */
const CACHE_RUN = 64;

/** Opens the store. `next` is where an earlier worker left off. */
export function openSlots(): Slots {
  const references = new Map<number, number>();
  const cache = new Map<number, Uint8Array>();
  const scratch = new Uint8Array(PAGE);
  let free: number[] = [];
  let cached = 0;
  let quota = Number.POSITIVE_INFINITY;

  const forget = (slot: number): void => {
    if (cache.delete(slot)) cached -= PAGE;
  };
  const remember = (slots: readonly number[], source: Uint8Array, offset: number, bytes: number): void => {
    if (bytes !== slots.length * PAGE || cached + bytes > CACHE_BYTES) return;
    cached += bytes;
    for (let at = 0; at < slots.length; at += CACHE_RUN) {
      const run = slots.slice(at, at + CACHE_RUN);
      // Not `slice`: a Buffer's does not copy.
      const piece = new Uint8Array(source.subarray(offset + at * PAGE, offset + (at + run.length) * PAGE));
      for (const [index, slot] of run.entries()) cache.set(slot, piece.subarray(index * PAGE, (index + 1) * PAGE));
    }
  };
  const self: Slots = {
    next: 1,
    reserve(count) {
      const beyond = Math.max(0, count - free.length);
      if ((self.next + beyond) * PAGE > quota) throw new StoreFull('snapshots have used up their quota');
    },
    take(count) {
      // Long runs at the end of the file are written with one call; short ones fill gaps.
      const fresh =
        count >= CACHE_RUN && (self.next + count) * PAGE <= quota ? count : Math.max(0, count - free.length);
      const taken = free.splice(free.length - (count - fresh));
      for (let index = 0; index < fresh; index += 1) taken.push(self.next + index);
      self.next += fresh;
      return taken.sort((a, b) => a - b);
    },
    retain(slots) {
      for (const slot of slots) references.set(slot, (references.get(slot) ?? 0) + 1);
    },
    release(slots) {
      for (const slot of slots) {
        const left = (references.get(slot) ?? 0) - 1;
        if (left > 0) references.set(slot, left);
        else {
          references.delete(slot);
          forget(slot);
          free.push(slot);
        }
      }
    },
    write(slots, source, offset, bytes) {
      for (const run of runsOf(slots)) {
        const from = offset + run.start * PAGE;
        writeAt(source, from, Math.min(run.count * PAGE, offset + bytes - from), run.slot * PAGE);
      }
      remember(slots, source, offset, bytes);
    },
    writePages(slots, memory, pages) {
      const pageOf = new Map(slots.map((slot, index) => [slot, pages[index] ?? 0]));
      const sorted = [...slots].sort((a, b) => a - b);
      for (let at = 0; at < sorted.length; at += CACHE_RUN) {
        for (const run of runsOf(sorted.slice(at, at + CACHE_RUN))) {
          const contents = sorted.slice(at + run.start, at + run.start + run.count).map((slot) => {
            const start = (pageOf.get(slot) ?? 0) * PAGE;
            remember([slot], memory, start, PAGE);
            return memory.subarray(start, start + PAGE);
          });
          writeSideBySide(contents, run.slot * PAGE);
        }
      }
    },
    read(slot) {
      const known = cache.get(slot);
      if (known !== undefined) return known;
      readAt(scratch, 0, PAGE, slot * PAGE);
      return scratch;
    },
    readInto(slots, target, offset, bytes) {
      for (const run of runsOf(slots)) {
        const to = offset + run.start * PAGE;
        readAt(target, to, Math.min(run.count * PAGE, offset + bytes - to), run.slot * PAGE);
      }
    },
    setQuota(bytes) {
      quota = bytes;
    },
  };
  return {
    ...self,
    get next() {
      return self.next;
    },
    set next(value) {
      // Slots that another worker used and that have no reference any more become free as tables are adopted: see
      // Pages.adopt.
      self.next = value;
      free = [];
      for (let slot = 1; slot < value; slot += 1) if (!references.has(slot)) free.push(slot);
    },
  };
}

interface Run {
  /** Index of the first slot in the list. */
  readonly start: number;
  readonly slot: number;
  readonly count: number;
}

/** Splits a list of slots into runs that lie side by side in the file. */
function* runsOf(slots: readonly number[]): Generator<Run> {
  let start = 0;
  for (let index = 1; index <= slots.length; index += 1) {
    const first = slots[start];
    if (first === undefined) return;
    if (index < slots.length && slots[index] === first + index - start) continue;
    yield { start, slot: first, count: index - start };
    start = index;
  }
}

function writeAt(source: Uint8Array, offset: number, bytes: number, position: number): void {
  let done = 0;
  while (done < bytes) done += writeSync(FD.store, source, offset + done, bytes - done, position + done);
}

/** Writes pages one behind the other, with one call unless the file system takes them in part. */
function writeSideBySide(contents: readonly Uint8Array[], position: number): void {
  const done = writevSync(FD.store, contents, position);
  for (const [index, content] of contents.entries()) {
    const start = Math.max(0, done - index * PAGE);
    if (start < PAGE) writeAt(content, start, PAGE - start, position + index * PAGE + start);
  }
}

/** Reads; bytes beyond the end of the file are zero (the last page of a file may be short). */
function readAt(target: Uint8Array, offset: number, bytes: number, position: number): void {
  let done = 0;
  while (done < bytes) {
    const got = readSync(FD.store, target, offset + done, bytes - done, position + done);
    if (got === 0) {
      target.fill(0, offset + done, offset + bytes);
      return;
    }
    done += got;
  }
}
