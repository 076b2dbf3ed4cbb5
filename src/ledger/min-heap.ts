/** An item that knows its place in the heap. */
export interface HeapItem {
  /** -1 while it is in no heap. */
  heapIndex: number;
}

/** A binary heap whose items can move when their key changes. */
export class MinHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #keyOf: (item: T) => number;

  constructor(keyOf: (item: T) => number) {
    this.#keyOf = keyOf;
  }

  first(): T | undefined {
    return this.#items[0];
  }

  /** Brings the item to its place after its key changed; `present` false takes it out. */
  update(item: T, present: boolean): void {
    if (!present) {
      this.#remove(item);
      return;
    }
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length;
      this.#items.push(item);
    }
    this.#up(item);
    this.#down(item);
  }

  #remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#put(last, index);
    this.#up(last);
    this.#down(last);
  }

  #up(item: T): void {
    const key = this.#keyOf(item);
    while (item.heapIndex > 0) {
      const index = item.heapIndex;
      const above = this.#items[(index - 1) >> 1];
      if (above === undefined || this.#keyOf(above) <= key) return;
      this.#swap(item, above);
    }
  }

  #down(item: T): void {
    const key = this.#keyOf(item);
    while (true) {
      const left = this.#items[2 * item.heapIndex + 1];
      const right = this.#items[2 * item.heapIndex + 2];
      const least = right !== undefined && left !== undefined && this.#keyOf(right) < this.#keyOf(left) ? right : left;
      if (least === undefined || this.#keyOf(least) >= key) return;
      this.#swap(item, least);
    }
  }

  #swap(a: T, b: T): void {
    const index = a.heapIndex;
    this.#put(a, b.heapIndex);
    this.#put(b, index);
  }

  #put(item: T, index: number): void {
    item.heapIndex = index;
    this.#items[index] = item;
  }
}
