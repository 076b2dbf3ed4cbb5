/** Levels of children that a tree secures places for: most trees have one. */
export const SECURED_LEVELS = 2;

/** A request that waits. */
export interface WaitingRequest {
  /** 1 for the next one. */
  readonly position: number;
  /** Takes the request back. */
  withdraw(): void;
}

/** One granted place, or the places of a tree. */
export interface Grant {
  /** Releases it. Call it once. */
  leave(): void;
}

/** A tree that has its places. Its children leave before it does. */
export interface AdmittedTree extends Grant {
  /** Asks for a child's place; `level` counts from 1. `granted` is called at once, or later by another call. */
  requestChild(level: number, granted: (place: Grant) => void): WaitingRequest | undefined;
}

/** A child that waits. */
export interface ChildEntry {
  readonly order: number;
  readonly level: number;
  readonly granted: (place: Grant) => void;
}

/** The queue, as its trees call it. */
export interface TreeActions {
  nextOrder(): number;
  startWaiting(tree: Tree): void;
  stopWaiting(tree: Tree): void;
  placesReleased(places: number): void;
  deepChildLeft(tree: Tree): void;
  left(tree: Tree): void;
}

/** A tree within the queue: its places, and its children that wait. */
export class Tree implements AdmittedTree {
  /** Places it has for as long as it runs. */
  readonly secured: number;
  readonly #actions: TreeActions;
  /** Levels whose secured place is free. */
  readonly #free: Set<number>;
  readonly #waiting = new Set<ChildEntry>();
  /** Levels below the secured ones that have a child beyond the limit. */
  readonly #deep = new Set<number>();
  #further = 0;

  constructor(own: number, levels: number, actions: TreeActions) {
    const secured = Math.min(levels, SECURED_LEVELS);
    this.secured = own + secured;
    this.#free = new Set(Array.from({ length: secured }, (_, index) => index + 1));
    this.#actions = actions;
  }

  get held(): number {
    return this.secured + this.#further;
  }

  /** When the child asked that has waited longest. */
  get since(): number {
    const [first] = this.#waiting;
    return first?.order ?? 0;
  }

  get hasDeep(): boolean {
    return this.#deep.size > 0;
  }

  /** The child that has waited longest for a level below the secured ones, where that level has none beyond the limit. */
  get nextDeep(): ChildEntry | undefined {
    for (const entry of this.#waiting) if (entry.level > SECURED_LEVELS && !this.#deep.has(entry.level)) return entry;
    return undefined;
  }

  grantDeep(entry: ChildEntry): void {
    const { level } = entry;
    this.#remove(entry);
    this.#deep.add(level);
    entry.granted({
      leave: () => {
        this.#deep.delete(level);
        this.#actions.deepChildLeft(this);
      },
    });
  }

  requestChild(level: number, granted: (place: Grant) => void): WaitingRequest | undefined {
    const entry = { order: this.#actions.nextOrder(), level, granted };
    if (this.#free.delete(level)) {
      this.#grantSecured(entry);
      return undefined;
    }
    this.#waiting.add(entry);
    this.#actions.startWaiting(this);
    if (!this.#waiting.has(entry)) return undefined;
    return { position: this.#waiting.size, withdraw: () => this.#remove(entry) };
  }

  /** The child that has waited longest gets a place that was free. */
  grantFurther(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#remove(first);
    this.#further += 1;
    first.granted({
      leave: () => {
        this.#further -= 1;
        this.#actions.placesReleased(1);
      },
    });
  }

  leave(): void {
    this.#actions.left(this);
  }

  #grantSecured(entry: ChildEntry): void {
    entry.granted({ leave: () => this.#passOn(entry.level) });
  }

  /** The secured place of a level goes to the next child of that level. */
  #passOn(level: number): void {
    for (const next of this.#waiting) {
      if (next.level !== level) continue;
      this.#remove(next);
      this.#grantSecured(next);
      return;
    }
    this.#free.add(level);
  }

  #remove(entry: ChildEntry): void {
    this.#waiting.delete(entry);
    if (this.#waiting.size === 0) this.#actions.stopWaiting(this);
  }
}
