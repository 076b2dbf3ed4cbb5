import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Admission } from './admission.ts';
import { ReferenceAdmission } from './reference-admission.testing.ts';
import { type AdmittedTree, type Grant, SECURED_LEVELS, type WaitingRequest } from './tree.ts';

/** One thing that happens; numbers choose among what is possible at that moment. */
type Step =
  | { readonly do: 'tree'; readonly levels: number; readonly own: 0 | 1 }
  | { readonly do: 'session' }
  | { readonly do: 'child'; readonly of: number; readonly level: number }
  | { readonly do: 'end' | 'endChild' | 'withdraw'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('tree' as const), levels: fc.nat(5), own: fc.constantFrom(0 as const, 1 as const) }),
  fc.record({ do: fc.constant('session' as const) }),
  { arbitrary: fc.record({ do: fc.constant('child' as const), of: fc.nat(), level: fc.nat() }), weight: 10 },
  { arbitrary: fc.record({ do: fc.constant('endChild' as const), which: fc.nat() }), weight: 6 },
  fc.record({ do: fc.constantFrom('end' as const, 'withdraw' as const), which: fc.nat() }),
);

interface Running {
  readonly name: string;
  readonly parent: string;
  readonly levels: number;
  readonly grant: Grant & Partial<AdmittedTree>;
}

/** The queue and its reference, driven by the same steps. */
class Pair {
  readonly admission: Admission;
  readonly reference: ReferenceAdmission;
  readonly granted: string[] = [];
  readonly running: Running[] = [];
  readonly waiting = new Map<string, WaitingRequest>();
  readonly #maxRepls: number;
  #names = 0;

  constructor(maxRepls: number) {
    this.#maxRepls = maxRepls;
    this.admission = new Admission(maxRepls);
    this.reference = new ReferenceAdmission(maxRepls);
  }

  tree(own: 0 | 1, levels: number): void {
    if (own + levels === 0) return;
    this.#ask((granted) => this.admission.requestTree({ own, levels }, granted), { kind: 'tree', own, levels });
  }

  session(): void {
    // Half of all, as the engine keeps it.
    if (this.admission.figures.sessions + 1 > this.#maxRepls / 2) return;
    this.#ask((granted) => this.admission.requestSession(granted), { kind: 'session' });
  }

  child(of: number, level: number): void {
    const trees = this.running.filter(({ levels }) => levels > 0);
    const tree = trees[of % trees.length];
    if (tree === undefined) return;
    const at = 1 + (level % tree.levels);
    this.#ask((granted) => tree.grant.requestChild?.(at, granted), { kind: 'child', parent: tree.name, level: at });
  }

  end(which: number): void {
    const ended = this.running[which % this.running.length];
    if (ended === undefined) return;
    // Children end before their tree.
    const children = this.running.filter(({ parent }) => parent === ended.name);
    for (const name of [...this.waiting.keys()].filter((it) => it.startsWith(`${ended.name}.`))) this.#withdraw(name);
    for (const one of [...children, ended]) {
      this.running.splice(this.running.indexOf(one), 1);
      one.grant.leave();
      this.reference.end(one.name);
    }
  }

  /** A child ends: what most often makes room. */
  endChild(which: number): void {
    const children = this.running.flatMap(({ parent }, index) => (parent === '' ? [] : [index]));
    const index = children[which % children.length];
    if (index !== undefined) this.end(index);
  }

  withdraw(which: number): void {
    const names = [...this.waiting.keys()];
    const name = names[which % names.length];
    if (name !== undefined) this.#withdraw(name);
  }

  #withdraw(name: string): void {
    this.waiting.get(name)?.withdraw();
    this.waiting.delete(name);
    this.reference.end(name);
  }

  #ask(
    request: (granted: (grant: Grant) => void) => WaitingRequest | undefined,
    asked: Omit<Parameters<ReferenceAdmission['ask']>[0], 'name'>,
  ): void {
    this.#names += 1;
    const name = `${asked.parent === undefined ? '' : `${asked.parent}.`}${this.#names}`;
    const waiting = request((grant) => {
      this.waiting.delete(name);
      this.granted.push(name);
      this.running.push({ name, parent: asked.parent ?? '', levels: asked.levels ?? 0, grant });
    });
    if (waiting !== undefined) this.waiting.set(name, waiting);
    this.reference.ask({ ...asked, name });
  }
}

test('grants are those of the plainest form of the rules, in their order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 120, size: 'max' }), (maxRepls, steps) => {
      const pair = new Pair(maxRepls);
      for (const it of steps) {
        if (it.do === 'tree') pair.tree(it.own, it.levels);
        else if (it.do === 'session') pair.session();
        else if (it.do === 'child') pair.child(it.of, it.level);
        else pair[it.do](it.which);
        expect(pair.granted).toEqual(pair.reference.granted);
        expect(pair.admission.figures.taken).toBe(pair.reference.taken);
      }
    }),
    { numRuns: 1_500 },
  );
});

test('there are never more REPLs than the limit, but one for each level of one tree', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (maxRepls, steps) => {
      const pair = new Pair(maxRepls);
      for (const it of steps) {
        if (it.do === 'tree') pair.tree(it.own, it.levels);
        else if (it.do === 'session') pair.session();
        else if (it.do === 'child') pair.child(it.of, it.level);
        else pair[it.do](it.which);
        const { taken, sessions } = pair.admission.figures;
        const deepest = Math.max(0, ...pair.running.map(({ levels }) => levels));
        expect(taken).toBeLessThanOrEqual(
          Math.max(maxRepls, sessions + 1 + SECURED_LEVELS) + Math.max(0, deepest - SECURED_LEVELS),
        );
      }
    }),
    { numRuns: 1_000 },
  );
});

/** A run: its children, each a run one level deeper. */
interface Node {
  readonly children: readonly Node[];
  /** They are asked for all at once, or one after the other. */
  readonly batch: boolean;
}

function nodes(levels: number): fc.Arbitrary<Node> {
  if (levels === 0) return fc.constant({ children: [], batch: false });
  return fc.record({ children: fc.array(nodes(levels - 1), { maxLength: 3 }), batch: fc.boolean() });
}

const depthOf = ({ children }: Node): number => Math.max(0, ...children.map((child) => 1 + depthOf(child)));
const sizeOf = ({ children }: Node): number => children.reduce((sum, child) => sum + sizeOf(child), 1);

/** Runs trees whose parents hold their REPL while they wait for their children; `pick` chooses who continues next. */
class Forest {
  readonly #ready: (() => void)[] = [];
  ended = 0;

  start(admission: Admission, root: Node): void {
    admission.requestTree({ own: 1, levels: depthOf(root) }, (tree) =>
      this.#ready.push(() => this.#run(root, { tree, level: 0, end: () => tree.leave() })),
    );
  }

  /** False when nothing can continue. */
  goOn(pick: number): boolean {
    const [next] = this.#ready.splice(pick % Math.max(1, this.#ready.length), 1);
    next?.();
    return next !== undefined;
  }

  #run(node: Node, at: { readonly tree: AdmittedTree; readonly level: number; readonly end: () => void }): void {
    const left = [...node.children];
    let open = left.length;
    const end = (): void => {
      this.ended += 1;
      at.end();
    };
    if (open === 0) {
      end();
      return;
    }
    const next = (): void => {
      const child = left.shift();
      if (child === undefined) return;
      at.tree.requestChild(at.level + 1, (place) =>
        this.#ready.push(() =>
          this.#run(child, {
            tree: at.tree,
            level: at.level + 1,
            end: () => {
              place.leave();
              open -= 1;
              if (open === 0) this.#ready.push(end);
              else if (!node.batch) next();
            },
          }),
        ),
      );
      if (node.batch) next();
    };
    next();
  }
}

test('every tree ends, however few places there are and in whatever order children continue', () => {
  const depths = fc.integer({ min: 0, max: 5 }).chain(nodes);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(depths, { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.nat()),
      (maxRepls, roots, picks) => {
        const admission = new Admission(maxRepls);
        const forest = new Forest();
        for (const root of roots) forest.start(admission, root);
        for (const pick of picks) if (!forest.goOn(pick)) break;
        expect(forest.ended).toBe(roots.reduce((sum, root) => sum + sizeOf(root), 0));
        expect(admission.figures).toEqual({ taken: 0, sessions: 0, queued: 0 });
      },
    ),
    { numRuns: 1_000 },
  );
});

test('runs are served in the order they came, and one that needs several places is not overtaken', () => {
  const admission = new Admission(2);
  const order: string[] = [];
  const trees: AdmittedTree[] = [];
  const ask = (name: string, levels: number): WaitingRequest | undefined =>
    admission.requestTree({ own: 1, levels }, (tree) => {
      order.push(name);
      trees.push(tree);
    });
  expect([ask('a', 0), ask('b', 0)]).toEqual([undefined, undefined]);
  expect(ask('deep', 1)?.position).toBe(1);
  expect(ask('c', 0)?.position).toBe(2);
  trees[0]?.leave();
  expect(order).toEqual(['a', 'b']);
  trees[1]?.leave();
  expect(order).toEqual(['a', 'b', 'deep']);
});

test('a tree with many children does not keep a new run waiting for its end', () => {
  const admission = new Admission(8);
  const places: Grant[] = [];
  admission.requestTree({ own: 1, levels: 1 }, (tree) => {
    for (let child = 0; child < 20; child += 1) tree.requestChild(1, (place) => places.push(place));
  });
  expect(admission.figures.taken).toBe(8);
  let started = false;
  admission.requestTree({ own: 1, levels: 0 }, () => {
    started = true;
  });
  // Its children continue until the tree is down to its share; then the place goes to the one that waits.
  for (let ended = 0; ended < 4 && !started; ended += 1) places.pop()?.leave();
  expect(started).toBe(true);
});
