import type { CallEstimate, Reservation, Settlement } from '../model/account.ts';
import { BudgetError, type Resource } from './budget-error.ts';
import { wholeTokens } from './estimate.ts';
import { ceilingCost, settledCost, usd } from './money.ts';
import type { Node, WaitingAttempt } from './node.ts';
import { plausibleUsage } from './plausible-usage.ts';
import type { Verdict } from './pool.ts';
import type { WaitPoint } from './wait-point.ts';

/** Finals stand before everybody else. */
const URGENT = -(2 ** 52);

/** The ledger nodes to which an attempt reports its outcome. */
export interface AttemptOwner {
  sent(): void;
  neverSent(): void;
}

/** Whose attempt it is. */
export interface AttemptOptions {
  readonly node: Node;
  readonly depth: number;
  readonly isFinal: boolean;
  readonly owner: AttemptOwner;
  readonly estimate: CallEstimate;
}

interface Waiter {
  readonly resolve: (reservation: Reservation) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal;
}

/** One attempt of a call: it waits, holds room at its completion and all above it, and is settled or released. */
export class Attempt implements Reservation, WaitingAttempt {
  readonly node: Node;
  readonly isFinal: boolean;
  readonly tokens: number;
  /** Nano-dollars held; undefined until it is granted, or where the price is known from the start. */
  #cost: number | undefined;
  readonly order: number;
  previous: WaitingAttempt | undefined;
  next: WaitingAttempt | undefined;
  #state: 'asking' | 'held' | 'done' = 'asking';
  #waiter: Waiter | undefined;
  #keptTokens = 0;
  #keptCost = 0;
  readonly #depth: number;
  readonly #owner: AttemptOwner;
  readonly #estimate: CallEstimate;

  constructor(options: AttemptOptions) {
    const { node, isFinal, estimate } = options;
    const { inputTokens, maxOutputTokens } = wholeTokens(estimate);
    this.node = node;
    this.isFinal = isFinal;
    this.tokens = inputTokens + maxOutputTokens;
    node.tree.asked += 1;
    this.order = node.tree.asked + (isFinal ? URGENT : 0);
    this.#depth = options.depth;
    this.#owner = options.owner;
    this.#estimate = estimate;
    const { price, reportsCost } = estimate.model;
    // A price that is still to be learned is looked up again while the attempt waits.
    if (price !== undefined) this.#cost = ceilingCost(price, { input: inputTokens, output: maxOutputTokens });
    else if (reportsCost !== true) this.#cost = 0;
  }

  /**
   * Nano-dollars to hold. Without a known price: 0, because no limit on money allows such a model; but where the provider
   * reports the cost of each call, all that is left, so that nothing is sent beside the first call.
   */
  get cost(): number {
    if (this.#cost !== undefined) return this.#cost;
    const { model } = this.#estimate;
    const { inputTokens, maxOutputTokens } = wholeTokens(this.#estimate);
    if (model.price !== undefined) return ceilingCost(model.price, { input: inputTokens, output: maxOutputTokens });
    const left = [...this.node.path()].map((node) => node.cost.leftAtBest(this.#mayUseKept(node)));
    const least = Math.min(...left);
    return least === Number.POSITIVE_INFINITY ? 0 : Math.max(1, least);
  }

  get point(): WaitPoint<WaitingAttempt> {
    return this.node.line;
  }

  /** Takes room at once when it fits and no other call waits. @throws BudgetError when it can never fit */
  holdNow(): boolean {
    if (this.#verdict() === 'waits' || this.node.tree.waiting > 0) return false;
    this.grant();
    return true;
  }

  /** Waits in line for room. */
  wait(signal: AbortSignal): Promise<Reservation> {
    const { tree, line } = this.node;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject, signal };
      tree.waiting += 1;
      tree.aborts.watch(signal, this);
      line.add(this);
      line.serve();
    });
  }

  grant(): void {
    this.#cost = this.cost;
    this.#state = 'held';
    if (this.isFinal) {
      this.#keptTokens = this.node.tokens.takeKept(this.tokens);
      this.#keptCost = this.node.cost.takeKept(this.cost);
    }
    for (let node: Node | undefined = this.node; node !== undefined; node = node.parent) {
      node.tokens.reserved += this.tokens;
      node.cost.reserved += this.cost;
    }
    this.#stopWaiting()?.resolve(this);
  }

  refuse(at: WaitPoint<WaitingAttempt>): void {
    for (const node of this.node.path()) {
      if (node.line === at) this.#fail(this.#refusal(node));
    }
  }

  giveUp(reason: unknown): void {
    this.point.remove(this);
    this.#fail(reason);
  }

  /** Why it does not fit at this node. */
  #refusal(node: Node): BudgetError {
    const resource: Resource = node.tokens.judge(this.tokens, this.#mayUseKept(node)) === 'never' ? 'tokens' : 'cost';
    const state = node.state(resource, this.#mayUseKept(node));
    const needed = resource === 'tokens' ? this.tokens : usd(this.cost);
    return new BudgetError({ ...state, needed });
  }

  settle(settlement: Settlement): void {
    if (this.#state !== 'held') {
      throw new TypeError('A reservation is settled once, and not after its release.');
    }
    const usage = plausibleUsage(settlement.usage, this.#estimate);
    const { price, id: modelId } = this.#estimate.model;
    const cost = settledCost(price, usage);
    this.#free(usage.inputTokens + usage.outputTokens, cost ?? 0);
    const possiblyBilled = settlement.possiblyBilled ?? false;
    this.node.settle({ modelId, depth: this.#depth, usage, cost, possiblyBilled });
    this.#owner.sent();
    this.node.warn();
  }

  release(): void {
    if (this.#state !== 'held') return;
    this.#free(0, 0);
    this.#owner.neverSent();
    this.node.line.serve();
  }

  /** @throws BudgetError when it can never fit */
  #verdict(): Verdict {
    let verdict: Verdict = 'fits';
    for (let node: Node | undefined = this.node; node !== undefined; node = node.parent) {
      const here = node.judge(this);
      if (here === 'never') {
        this.#owner.neverSent();
        throw this.#refusal(node);
      }
      if (here === 'waits') verdict = here;
    }
    return verdict;
  }

  #fail(reason: unknown): void {
    this.#state = 'done';
    this.#owner.neverSent();
    this.#stopWaiting()?.reject(reason);
  }

  #stopWaiting(): Waiter | undefined {
    const waiter = this.#waiter;
    if (waiter === undefined) return undefined;
    this.#waiter = undefined;
    this.node.tree.waiting -= 1;
    this.node.tree.aborts.unwatch(waiter.signal, this);
    return waiter;
  }

  #mayUseKept(node: Node): boolean {
    return this.isFinal && node === this.node;
  }

  /** Gives the room back; of what was kept for a last call, what it did not use is kept for its next attempt. */
  #free(usedTokens: number, usedCost: number): void {
    this.#state = 'done';
    for (let node: Node | undefined = this.node; node !== undefined; node = node.parent) {
      node.tokens.reserved -= this.tokens;
      node.cost.reserved -= this.cost;
    }
    this.node.tokens.kept += Math.max(0, this.#keptTokens - usedTokens);
    this.node.cost.kept += Math.max(0, this.#keptCost - usedCost);
  }
}
