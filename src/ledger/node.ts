import type { Clock } from '../clock.ts';
import type { AbortWatch } from './abort-watch.ts';
import type { BudgetState, LedgerLimits, Resource } from './budget-error.ts';
import { Deadline } from './deadline.ts';
import { nanoDollars, usd } from './money.ts';
import { Pool, type Verdict } from './pool.ts';
import { type BookedUsage, UsageBook } from './usage.ts';
import { type Waiting, WaitPoint } from './wait-point.ts';
import type { Warnings } from './warnings.ts';

/** The state that all completions of a tree share. */
export interface Tree {
  readonly clock: Clock;
  readonly warnings: Warnings;
  /** How many attempts have asked for room: their order. */
  asked: number;
  /** How many attempts wait. */
  waiting: number;
  readonly aborts: AbortWatch<WaitingAttempt>;
}

/** An attempt as the nodes see it in whose lines it waits. */
export interface WaitingAttempt extends Waiting<WaitingAttempt> {
  readonly node: Node;
  readonly isFinal: boolean;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
}

/** The parts of a node. */
export interface NodeOptions {
  readonly tree: Tree;
  readonly parent: Node | undefined;
  readonly depth: number;
  readonly limits: LedgerLimits;
  readonly elapsedMs?: number;
}

/** The books of one completion: its limits, what is spent, reserved and kept, and who waits. */
export class Node {
  readonly tree: Tree;
  readonly parent: Node | undefined;
  readonly depth: number;
  readonly calls: Pool;
  readonly tokens: Pool;
  /** In nano-dollars. */
  readonly cost: Pool;
  readonly deadline: Deadline;
  readonly book: UsageBook = new UsageBook();
  readonly line: WaitPoint<WaitingAttempt>;
  closed = false;

  constructor(options: NodeOptions) {
    const { tree, parent, depth, limits } = options;
    this.tree = tree;
    this.parent = parent;
    this.depth = depth;
    this.calls = new Pool(limits.maxSubCalls ?? Number.POSITIVE_INFINITY);
    this.tokens = new Pool(limits.maxTokens ?? Number.POSITIVE_INFINITY);
    this.cost = new Pool(nanoDollars(limits.maxCostUsd ?? Number.POSITIVE_INFINITY));
    this.line = new WaitPoint(parent?.line, (attempt) => this.judge(attempt));
    this.deadline = new Deadline({
      clock: tree.clock,
      start: tree.clock.now() - (options.elapsedMs ?? 0),
      limit: limits.maxDurationMs ?? Number.POSITIVE_INFINITY,
      parent: parent?.deadline,
      onPassed: () => this.refuseLate(),
    });
  }

  /** This node and all above it. */
  *path(): Generator<Node> {
    for (let node: Node | undefined = this; node !== undefined; node = node.parent) yield node;
  }

  /** Whether an attempt fits here. Its completion's last call may use what the completion keeps for it. */
  judge(attempt: WaitingAttempt): Verdict {
    const mayUseKept = attempt.isFinal && attempt.node === this;
    const tokens = this.tokens.judge(attempt.tokens, mayUseKept);
    if (tokens === 'never') return tokens;
    const cost = this.cost.judge(attempt.cost, mayUseKept);
    return cost === 'fits' ? tokens : cost;
  }

  /** The state of a resource at this node alone; for its last call, the amount kept for it counts as left. */
  state(resource: Resource, mayUseKept = false): BudgetState {
    if (resource === 'time') return this.deadline.state(mayUseKept);
    const pool = this[resource];
    const { limit, spent, reserved, kept } = pool;
    const state = { resource, limit, spent, reserved, kept, left: pool.left(mayUseKept) };
    return resource === 'cost' ? inUsd(state) : state;
  }

  /** The state of a resource at the node where least of it is left. */
  tightest(resource: Resource): BudgetState {
    let least = this.state(resource);
    for (let node = this.parent; node !== undefined; node = node.parent) {
      const state = node.state(resource);
      if (state.left < least.left) least = state;
    }
    return least;
  }

  /** Books a call here and at all above, and serves who waits. Follow it with {@link warn}. */
  settle(call: BookedUsage): void {
    for (let node: Node | undefined = this; node !== undefined; node = node.parent) node.add(call);
    this.line.serve();
  }

  /** Books a call here alone. */
  add(call: BookedUsage): void {
    const { usage, cost = 0 } = call;
    this.tokens.spent += usage.inputTokens + usage.outputTokens;
    this.cost.spent += cost;
    this.book.add(call);
  }

  /** Warns when a share of a limit of the tree is spent. */
  warn(): void {
    let root: Node = this;
    while (root.parent !== undefined) root = root.parent;
    const { warnings } = this.tree;
    warnings.look('calls', root.calls.spent, root.calls.limit);
    warnings.look('tokens', root.tokens.spent, root.tokens.limit);
    warnings.look('cost', usd(root.cost.spent), usd(root.cost.limit));
  }

  /** Refuses the attempts that wait here and whose time is up. */
  refuseLate(): void {
    for (const attempt of this.line.waiting()) {
      if (this.deadline.passed(attempt.isFinal)) {
        attempt.giveUp(this.deadline.late());
      }
    }
    this.line.serve();
  }

  /** True when it has ended, or a completion above it. */
  isClosed(): boolean {
    return this.closed || (this.parent?.isClosed() ?? false);
  }

  /** Refuses all that waits here and stops the timers. */
  close(reason: Error): void {
    this.closed = true;
    this.deadline.close();
    for (const attempt of this.line.waiting()) attempt.giveUp(reason);
    this.line.serve();
  }
}

function inUsd({ resource, limit, spent, reserved, kept, left }: BudgetState): BudgetState {
  return { resource, limit: usd(limit), spent: usd(spent), reserved: usd(reserved), kept: usd(kept), left: usd(left) };
}
