/**
 * Snapshots of the linear memory as page tables: for every page, where its content lies. Pages are shared between
 * snapshots; only what changed is written. Taken and restored at rest only: no Python frame is on the stack.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { PAGE, type TextRange } from './protocol.ts';
import type { Slots } from './slots.ts';

/** Where a page's content lies: a slot (> 0) or one of the codes below. */
const ZERO = 0;
/** As in the base snapshot. */
const BASE = -1;
/** `-(RANGE + k)`: inside of text range k, which never changes. */
const RANGE = 2;

/** A page table with its holders. Several images may hold one table. */
export interface PageTable {
  readonly codes: Int32Array;
  holders: number;
}

/** The linear memory and its tables. */
export interface Pages {
  readonly ranges: readonly TextRange[];
  /** Memory may have changed: guest code runs, or something was put in. */
  touch(): void;
  /** Takes the state of memory; the caller holds the table. @throws StoreFull */
  save(): PageTable;
  /** Puts memory back. Ranges the table names must be in place. */
  restore(table: PageTable): void;
  /** Makes a table known that another worker wrote. */
  adopt(codes: Int32Array): PageTable;
  hold(table: PageTable): void;
  drop(table: PageTable): void;
  /** A text was put into memory: its full pages are not stored. */
  addRange(range: TextRange): void;
  /** Ranges of another worker; their texts have to be loaded before `restore`. */
  setRanges(ranges: readonly TextRange[]): void;
  /** Grows memory so that the range's place exists. */
  makeRoom(range: TextRange): void;
  /** Marks a range's text as in place again. */
  rangeLoaded(index: number): void;
  /** Indexes of the ranges a table needs. */
  rangesOf(table: PageTable): number[];
  /**
   * Before `table` is restored: stores ranges it would overwrite and other tables need. Returns true when tables of
   * other images changed by it. @throws StoreFull
   */
  secureRanges(table: PageTable, others: readonly PageTable[]): boolean;
}

export interface PagesOptions {
  /** The memory as it is now; views are replaced when it grows. */
  readonly heap: () => Uint8Array;
  readonly grow: (bytes: number) => void;
  readonly base: Uint8Array;
  readonly slots: Slots;
}

const zeroPage = new Uint8Array(PAGE);

/** Full pages inside of a range: `[first, end)`. */
function pagesOf(range: TextRange): { first: number; end: number } {
  const first = Math.ceil(range.address / PAGE);
  return { first, end: Math.max(first, Math.floor((range.address + range.bytes) / PAGE)) };
}

/** Opens the memory's tables. The memory must be as the base snapshot left it, or differ: `save` compares. */
export function openPages(options: PagesOptions): Pages {
  const { slots, base } = options;
  const ranges: TextRange[] = [];
  const active = new Set<number>();
  let current: PageTable = { codes: baseCodes(base, options.heap().length), holders: 0 };
  hold(current);
  /** Memory may differ from `current`. While it does not, nothing needs to be compared. */
  let touched = true;

  function hold(table: PageTable): void {
    table.holders += 1;
    if (table.holders === 1) slots.retain(slotsIn(table.codes));
  }
  function drop(table: PageTable): void {
    table.holders -= 1;
    if (table.holders === 0) slots.release(slotsIn(table.codes));
  }
  const become = (table: PageTable): void => {
    hold(table);
    drop(current);
    current = table;
  };
  const contentOf = (code: number, page: number): Uint8Array => {
    if (code > 0) return slots.read(code);
    return code === BASE ? base.subarray(page * PAGE, (page + 1) * PAGE) : zeroPage;
  };
  /** Notes that the text of a range is in its place in memory. */
  const inPlace = (range: TextRange, index: number): void => {
    active.add(index);
    const codes = new Int32Array(options.heap().length / PAGE);
    codes.set(current.codes.subarray(0, codes.length));
    const { first, end } = pagesOf(range);
    codes.fill(-(RANGE + index), first, end);
    become({ codes, holders: 0 });
  };
  const isActive = (code: number): boolean => active.has(-code - RANGE);

  return {
    ranges,
    hold,
    drop,
    touch() {
      touched = true;
    },
    save() {
      if (!touched) return current;
      const heap = Buffer.from(options.heap().buffer);
      const codes = new Int32Array(heap.length / PAGE);
      codes.set(current.codes.subarray(0, codes.length));
      const changed = changedPages(heap, codes, contentOf);
      slots.reserve(changed.length);
      const taken = [...runs(changed)].flatMap((run) => slots.take(run.count));
      slots.writePages(taken, heap, changed);
      for (const [index, page] of changed.entries()) codes[page] = taken[index] ?? ZERO;
      const table = { codes, holders: 0 };
      become(table);
      touched = false;
      return table;
    },
    restore(table) {
      if (table.codes.length * PAGE > options.heap().length) options.grow(table.codes.length * PAGE);
      const heap = Buffer.from(options.heap().buffer);
      restorePages({ heap, from: current.codes, to: table.codes, touched, contentOf, isActive, slots });
      for (const [index, range] of ranges.entries()) {
        if (active.has(index) && table.codes[pagesOf(range).first] !== -(RANGE + index)) active.delete(index);
      }
      become(table);
      touched = false;
    },
    adopt(codes) {
      return { codes, holders: 0 };
    },
    addRange(range) {
      inPlace(range, ranges.push(range) - 1);
    },
    setRanges(known) {
      ranges.splice(0, ranges.length, ...known);
    },
    makeRoom(range) {
      const needed = range.address + range.bytes;
      if (needed > options.heap().length) options.grow(needed);
    },
    rangeLoaded(index) {
      const range = ranges[index];
      if (range === undefined) throw new Error('no such range');
      inPlace(range, index);
    },
    rangesOf(table) {
      return ranges.flatMap((range, index) => (table.codes[pagesOf(range).first] === -(RANGE + index) ? [index] : []));
    },
    secureRanges(table, others) {
      let secured = false;
      for (const index of active) {
        const range = ranges[index];
        if (range === undefined) continue;
        const { first, end } = pagesOf(range);
        const code = -(RANGE + index);
        if (first === end || table.codes[first] === code) continue;
        const needed = others.filter((other) => other.codes[first] === code);
        if (needed.length === 0) continue;
        slots.reserve(end - first);
        const taken = slots.take(end - first);
        slots.write(taken, options.heap(), first * PAGE, (end - first) * PAGE);
        for (const other of new Set(needed)) {
          other.codes.set(taken, first);
          slots.retain(taken);
        }
        secured = true;
      }
      return secured;
    },
  };
}

function* slotsIn(codes: Int32Array): Generator<number> {
  for (const code of codes) if (code > 0) yield code;
}

function baseCodes(base: Uint8Array, heapBytes: number): Int32Array {
  const codes = new Int32Array(heapBytes / PAGE);
  const view = Buffer.from(base.buffer, base.byteOffset, base.length);
  const pages = Math.floor(base.length / PAGE);
  for (let page = 0; page < pages; page += 1) {
    const empty = view.compare(zeroPage, 0, PAGE, page * PAGE, (page + 1) * PAGE) === 0;
    codes[page] = empty ? ZERO : BASE;
  }
  return codes;
}

/** Pages whose content is not what `codes` says, in order. */
function changedPages(
  heap: Buffer,
  codes: Int32Array,
  contentOf: (code: number, page: number) => Uint8Array,
): number[] {
  const changed: number[] = [];
  for (let page = 0; page < codes.length; page += 1) {
    const code = codes[page] ?? ZERO;
    if (code <= -RANGE) continue;
    const at = page * PAGE;
    if (heap.compare(contentOf(code, page), 0, PAGE, at, at + PAGE) === 0) continue;
    if (heap.compare(zeroPage, 0, PAGE, at, at + PAGE) === 0) codes[page] = ZERO;
    else changed.push(page);
  }
  return changed;
}

function* runs(pages: readonly number[]): Generator<{ first: number; count: number }> {
  let first = -1;
  let count = 0;
  for (const page of pages) {
    if (page === first + count) {
      count += 1;
      continue;
    }
    if (count > 0) yield { first, count };
    first = page;
    count = 1;
  }
  if (count > 0) yield { first, count };
}

interface RestoreRequest {
  readonly heap: Buffer;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly touched: boolean;
  readonly contentOf: (code: number, page: number) => Uint8Array;
  readonly isActive: (code: number) => boolean;
  readonly slots: Slots;
}

function restorePages({ heap, from, to, touched, contentOf, isActive, slots }: RestoreRequest): void {
  const pages = heap.length / PAGE;
  let run: number[] = [];
  let runStart = 0;
  const flush = (): void => {
    if (run.length > 0) slots.readInto(run, heap, runStart * PAGE, run.length * PAGE);
    run = [];
  };
  for (let page = 0; page < pages; page += 1) {
    const wanted = to[page] ?? ZERO;
    const known = from[page] ?? ZERO;
    const at = page * PAGE;
    if (wanted <= -RANGE) {
      if (known !== wanted || !isActive(wanted)) throw new Error('a text of the snapshot is not in place');
      continue;
    }
    // Another content than before: no need to compare; slots that lie side by side come with one read.
    if (wanted > 0 && wanted !== known) {
      if (run.length > 0 && runStart + run.length !== page) flush();
      if (run.length === 0) runStart = page;
      run.push(wanted);
      continue;
    }
    if (wanted === known && !touched) continue;
    const content = contentOf(wanted, page);
    if (heap.compare(content, 0, PAGE, at, at + PAGE) !== 0) heap.set(content, at);
  }
  flush();
}
