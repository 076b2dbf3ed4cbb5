/**
 * First come, first served in a tree of limits. Every completion is a wait point. A call waits at its own completion; the
 * first in line whose needs fit there queues at the parent, and so on up to the root, where the earliest one is
 * granted as soon as it fits. So no call overtakes one that waits for the same limit, and a call that waits only for its
 * own completion's limit delays no other call. A change costs O(depth · log children), whatever the number that waits.
 *
 * @module
 */
import { MinHeap } from './min-heap.ts';
import type { Verdict } from './pool.ts';

/** A call that waits. */
export interface Waiting<W extends Waiting<W>> {
  readonly point: WaitPoint<W>;
  /** Lower is earlier. */
  readonly order: number;
  previous: W | undefined;
  next: W | undefined;
  /** Takes what it waited for, at its own completion and all above it. */
  grant(): void;
  /** It will never fit `at` this point. */
  refuse(at: WaitPoint<W>): void;
  /** Leaves the line for another reason than the limits it waits for. Follow it with `serve` of the line. */
  giveUp(reason: unknown): void;
}

/** Where the calls of one completion wait, and the first in line of each child. */
export class WaitPoint<W extends Waiting<W>> {
  readonly parent: WaitPoint<W> | undefined;
  /** The earliest call here or below that fits at every point up to and including this one. */
  candidate: W | undefined;
  heapIndex = -1;
  readonly #judge: (call: W) => Verdict;
  readonly #children = new MinHeap<WaitPoint<W>>((point) => point.candidate?.order ?? Number.POSITIVE_INFINITY);
  #first: W | undefined;
  #last: W | undefined;

  constructor(parent: WaitPoint<W> | undefined, judge: (call: W) => Verdict) {
    this.parent = parent;
    this.#judge = judge;
  }

  /** The calls that wait here, in order. */
  *waiting(): Generator<W> {
    for (let call = this.#first; call !== undefined; ) {
      const { next } = call;
      yield call;
      call = next;
    }
  }

  /** Puts a call in line, by its order. Follow it with {@link serve}. */
  add(call: W): void {
    let after = this.#last;
    if (call.order < 0) after = this.#lastBefore(call.order);
    call.previous = after;
    call.next = after === undefined ? this.#first : after.next;
    if (call.next === undefined) this.#last = call;
    else call.next.previous = call;
    if (after === undefined) this.#first = call;
    else after.next = call;
  }

  /** Takes a call out of line. Follow it with {@link serve}, or {@link serveAll} when it is done at several points. */
  remove(call: W): void {
    if (call.previous === undefined) this.#first = call.next;
    else call.previous.next = call.next;
    if (call.next === undefined) this.#last = call.previous;
    else call.next.previous = call.previous;
    call.previous = undefined;
    call.next = undefined;
  }

  /** Something changed here, and with it on the way to the root: grants and refuses what can be. */
  serve(): void {
    let from: WaitPoint<W> = this;
    while (true) {
      const root = from.#refreshUpTo(undefined);
      const granted = root.candidate;
      if (granted === undefined) return;
      granted.point.remove(granted);
      granted.grant();
      from = granted.point;
    }
  }

  /** Serves after changes at several points: all lines are put in order before anybody is granted room. */
  static serveAll<W extends Waiting<W>>(points: Iterable<WaitPoint<W>>): void {
    let last: WaitPoint<W> | undefined;
    for (const point of points) {
      point.#refreshUpTo(undefined);
      last = point;
    }
    last?.serve();
  }

  /** Negative orders are urgent and few: found from the front. */
  #lastBefore(order: number): W | undefined {
    let before: W | undefined;
    for (let call = this.#first; call !== undefined && call.order < order; call = call.next) before = call;
    return before;
  }

  /** Finds the candidates again from here to below `end`; returns the last point. */
  #refreshUpTo(end: WaitPoint<W> | undefined): WaitPoint<W> {
    let point: WaitPoint<W> = this;
    while (true) {
      point.#refresh();
      if (point.parent === end || point.parent === undefined) return point;
      point = point.parent;
    }
  }

  #refresh(): void {
    let call = this.#firstInLine();
    let verdict: Verdict | undefined;
    while (call !== undefined) {
      verdict = this.#judge(call);
      if (verdict !== 'never') break;
      call.point.remove(call);
      call.refuse(this);
      if (call.point !== this) call.point.#refreshUpTo(this);
      call = this.#firstInLine();
    }
    this.#stand(verdict === 'fits' ? call : undefined);
  }

  #firstInLine(): W | undefined {
    const own = this.#first;
    const below = this.#children.first()?.candidate;
    if (own === undefined || below === undefined) return own ?? below;
    return own.order < below.order ? own : below;
  }

  /** Queues this call at the parent, or leaves that queue. */
  #stand(call: W | undefined): void {
    if (this.candidate === call) return;
    this.candidate = call;
    if (this.parent !== undefined) this.parent.#children.update(this, call !== undefined);
  }
}
