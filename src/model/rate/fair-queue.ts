/** A queue that serves its owners in turn: trees take turns, and within a tree its lanes; first come first served in a lane. */
export interface FairQueue<Tree, Lane, Item> {
  readonly size: number;
  push(tree: Tree, lane: Lane, item: Item): void;
  /** Takes the next item of a tree that `mayGo`; items for which `gone` holds are dropped on the way. */
  next(mayGo: (tree: Tree) => boolean): Item | undefined;
  /** Takes every item out. */
  drain(): Item[];
}

interface Line<Item> {
  items: Item[];
  head: number;
}

/** Makes an empty {@link FairQueue}. `gone` says for which items the wait has ended. */
export function createFairQueue<Tree, Lane, Item>(gone: (item: Item) => boolean): FairQueue<Tree, Lane, Item> {
  // Maps iterate in order of insertion: an owner that was served moves to the end.
  const trees = new Map<Tree, Map<Lane, Line<Item>>>();
  let size = 0;

  const takeFrom = (lanes: Map<Lane, Line<Item>>): Item | undefined => {
    for (const [lane, line] of lanes) {
      const item = takeLive(line);
      lanes.delete(lane);
      if (line.head < line.items.length) lanes.set(lane, line);
      if (item !== undefined) return item;
    }
    return undefined;
  };
  const takeLive = (line: Line<Item>): Item | undefined => {
    while (line.head < line.items.length) {
      const item = line.items[line.head++];
      size -= 1;
      if (item !== undefined && !gone(item)) return item;
    }
    return undefined;
  };

  return {
    get size() {
      return size;
    },
    push(tree, lane, item) {
      const lanes = trees.get(tree) ?? new Map<Lane, Line<Item>>();
      trees.set(tree, lanes);
      const line = lanes.get(lane);
      if (line === undefined) lanes.set(lane, { items: [item], head: 0 });
      else line.items.push(item);
      size += 1;
    },
    next(mayGo) {
      for (const [tree, lanes] of trees) {
        if (!mayGo(tree)) continue;
        const item = takeFrom(lanes);
        trees.delete(tree);
        if (lanes.size > 0) trees.set(tree, lanes);
        if (item !== undefined) return item;
      }
      return undefined;
    },
    drain() {
      const items: Item[] = [];
      for (const lanes of trees.values()) {
        for (const line of lanes.values()) items.push(...line.items.slice(line.head).filter((item) => !gone(item)));
      }
      trees.clear();
      size = 0;
      return items;
    },
  };
}
