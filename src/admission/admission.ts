/**
 * Who may open a REPL next. Pure: nothing here waits, and grants are calls.
 *
 * The unit is the place: room for one REPL. A tree (a run with its children) gets the place of its own REPL together
 * with one place for each of the first levels of children below it, all at once. A child of a level that has its secured
 * place free takes it, so a parent that waits for a child waits only for REPLs of deeper levels of its own tree: no
 * circle is possible, however few places there are. Further children of a level run on places that are free. Levels below
 * the secured ones are rare: their children run on free places too, or, for one tree at a time, beyond the limit with one
 * REPL per level.
 *
 * The order of grants:
 * 1. Children go before trees that wait, and among children the tree with the fewest places.
 * 2. While a tree waits, no other tree gets more than its share by further children: the places that sessions leave,
 *    divided by the trees that run and the one that waits.
 * 3. Trees and sessions that wait are served in the order they came. One that needs several places is not overtaken.
 * 4. A tree that needs more places than there are runs when no other does.
 *
 * So there are more REPLs than `maxRepls` only by those of one tree, one for each of its levels.
 *
 * @module
 */
import { type AdmittedTree, type Grant, Tree, type TreeActions, type WaitingRequest } from './tree.ts';

/** The REPLs of a tree. */
export interface TreeShape {
  /** Places it needs of its own level: 1 for a run, 0 for a tree that runs in a session's REPL. */
  readonly own: 0 | 1;
  /** Levels of children with REPLs below it. */
  readonly levels: number;
}

/** How full it is. */
export interface AdmissionFigures {
  /** Places taken or secured. */
  readonly taken: number;
  readonly sessions: number;
  /** Trees and sessions that wait. */
  readonly queued: number;
}

interface Entry {
  readonly need: number;
  readonly session: boolean;
  readonly grant: () => void;
}

/** The queue for REPLs of one `Rlm`. */
export class Admission {
  readonly #maxRepls: number;
  readonly #queue = new Set<Entry>();
  readonly #trees = new Set<Tree>();
  /** Trees with children that wait. */
  readonly #asking = new Set<Tree>();
  /** The tree that may have deep children beyond the limit. */
  #deepest: Tree | undefined;
  #sessions = 0;
  #taken = 0;
  #orders = 0;

  constructor(maxRepls: number) {
    this.#maxRepls = maxRepls;
  }

  get figures(): AdmissionFigures {
    return { taken: this.#taken, sessions: this.#sessions, queued: this.#queue.size };
  }

  /** Asks for the places of a tree. `granted` is called at once, or later by another call. */
  requestTree({ own, levels }: TreeShape, granted: (tree: AdmittedTree) => void): WaitingRequest | undefined {
    const tree = new Tree(own, levels, this.#treeActions());
    return this.#request({
      need: tree.secured,
      session: false,
      grant: () => {
        this.#taken += tree.secured;
        this.#trees.add(tree);
        granted(tree);
      },
    });
  }

  /** Asks for the place of a session's REPL, which it has until it leaves, idle or not. */
  requestSession(granted: (place: Grant) => void): WaitingRequest | undefined {
    return this.#request({
      need: 1,
      session: true,
      grant: () => {
        this.#taken += 1;
        this.#sessions += 1;
        granted({
          leave: () => {
            this.#taken -= 1;
            this.#sessions -= 1;
            this.#serve();
          },
        });
      },
    });
  }

  #request(entry: Entry): WaitingRequest | undefined {
    this.#queue.add(entry);
    this.#serve();
    if (!this.#queue.has(entry)) return undefined;
    return {
      position: this.#queue.size,
      withdraw: () => {
        if (this.#queue.delete(entry)) this.#serve();
      },
    };
  }

  #treeActions(): TreeActions {
    return {
      nextOrder: () => ++this.#orders,
      startWaiting: (tree) => {
        this.#asking.add(tree);
        this.#serve();
      },
      stopWaiting: (tree) => this.#asking.delete(tree),
      placesReleased: (places) => {
        this.#taken -= places;
        this.#serve();
      },
      deepChildLeft: (tree) => {
        this.#taken -= 1;
        if (!tree.hasDeep) this.#deepest = undefined;
        this.#serve();
      },
      left: (tree) => {
        this.#trees.delete(tree);
        this.#taken -= tree.secured;
        this.#serve();
      },
    };
  }

  /** Grants what can be granted. */
  #serve(): void {
    for (;;) {
      const [head] = this.#queue;
      const free = this.#maxRepls - this.#taken;
      const tree = free > 0 ? this.#nextTree(head !== undefined) : undefined;
      if (tree !== undefined) {
        this.#taken += 1;
        tree.grantFurther();
        continue;
      }
      if (this.#grantDeep()) continue;
      if (head !== undefined && (head.need <= free || this.#fitsAlone(head))) {
        this.#queue.delete(head);
        head.grant();
      } else return;
    }
  }

  /** A child below the secured levels runs beyond the limit: of the tree that has such children, or has waited longest. */
  #grantDeep(): boolean {
    let next = this.#deepest;
    if (next === undefined) {
      const deep = [...this.#asking].filter((tree) => tree.nextDeep !== undefined);
      next = deep.sort((a, b) => (a.nextDeep?.order ?? 0) - (b.nextDeep?.order ?? 0))[0];
    }
    const child = next?.nextDeep;
    if (next === undefined || child === undefined) return false;
    this.#deepest = next;
    this.#taken += 1;
    next.grantDeep(child);
    return true;
  }

  /** Nothing but sessions has places, and sessions may keep theirs for good. */
  #fitsAlone({ session }: Entry): boolean {
    return !session && this.#trees.size === 0;
  }

  /** The tree whose child gets the next free place. */
  #nextTree(othersWait: boolean): Tree | undefined {
    const share = Math.floor((this.#maxRepls - this.#sessions) / (this.#trees.size + 1));
    let next: Tree | undefined;
    for (const tree of this.#asking) {
      if (othersWait && tree.held >= share) continue;
      if (next === undefined || tree.held < next.held || (tree.held === next.held && tree.since < next.since))
        next = tree;
    }
    return next;
  }
}
