/**
 * The files of a snapshot: the tree, open files and the places of contents in the store. JSON, opaque to the host.
 *
 * @module
 */

/** Where a file's content lies: as at boot, or in slots `[start, count, …]`. */
export type Content =
  | { readonly base: string; readonly size: number }
  | { readonly slots: readonly number[]; readonly size: number };

/** One node; a parent comes before its children. */
export interface NodeEntry {
  /** Inode number: SQLite looks whether a file is still the one it opened. */
  readonly id: number;
  /** Index of the folder; -1: deleted, but still open. The root has none. */
  readonly parent?: number;
  readonly name: string;
  readonly mode: number;
  readonly times: readonly [atime: number, mtime: number, ctime: number];
  readonly rdev?: number;
  readonly link?: string;
  readonly content?: Content;
  /** A pipe's end: number of the pipe. */
  readonly pipe?: number;
}

/** In the place of a node's index: the path names it, because it is in no snapshot. */
export const SHOWN = -1;

/** One open file. Streams with the same `shared` number are duplicates of each other. */
export interface StreamEntry {
  readonly fd: number;
  /** Index of its node; {@link SHOWN} for a file of a context. */
  readonly node: number;
  readonly path: string;
  readonly flags: number;
  readonly position: number;
  readonly seekable: boolean;
  readonly shared: number;
}

/** Everything outside of linear memory that Python can see. */
export interface Manifest {
  readonly cwd: string;
  readonly umask: number;
  readonly nextInode: number;
  readonly nodes: readonly NodeEntry[];
  readonly streams: readonly StreamEntry[];
  /** Bytes waiting in each pipe, base64. */
  readonly pipes: readonly string[];
}

/** Where a manifest lies in the store: runs of slots as in {@link Content}, and its length. */
export interface ManifestPlace {
  readonly slots: readonly number[];
  readonly bytes: number;
}

/** The slots a content takes, one by one. */
export function slotsOf(content: Content): number[] {
  return 'base' in content ? [] : unpackSlots(content.slots);
}

/** Runs of slots, one by one. */
export function unpackSlots(runs: readonly number[]): number[] {
  const slots: number[] = [];
  for (let index = 0; index < runs.length; index += 2) {
    const start = runs[index] ?? 0;
    for (let count = 0; count < (runs[index + 1] ?? 0); count += 1) slots.push(start + count);
  }
  return slots;
}

/** Slots as runs. */
export function packSlots(slots: readonly number[]): number[] {
  const packed: number[] = [];
  for (const slot of slots) {
    const last = packed.length - 2;
    const start = packed[last];
    const count = packed[last + 1];
    if (start !== undefined && count !== undefined && start + count === slot) packed[last + 1] = count + 1;
    else packed.push(slot, 1);
  }
  return packed;
}

/** True when two contents are the same place in the store. */
export function sameContent(a: Content, b: Content): boolean {
  if (a.size !== b.size) return false;
  if ('base' in a) return 'base' in b && a.base === b.base;
  return 'slots' in b && a.slots.length === b.slots.length && a.slots.every((value, index) => value === b.slots[index]);
}
