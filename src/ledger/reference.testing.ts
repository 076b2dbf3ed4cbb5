/**
 * The ledger's rules once more, as plainly as they can be said and as slow as they may be: after every step all waiting
 * attempts are looked at in order. The property tests hold the real one against it.
 */
export interface ReferenceNode {
  readonly parent: ReferenceNode | undefined;
  readonly tokenLimit: number;
  readonly costLimit: number;
  tokens: number;
  cost: number;
  kept: { tokens: number; cost: number };
  closed: boolean;
}

export type Fate = 'waiting' | 'held' | 'refused' | 'aborted' | 'done';

export interface ReferenceAttempt {
  readonly node: ReferenceNode;
  readonly isFinal: boolean;
  readonly tokens: number;
  readonly cost: number;
  fromKept: { tokens: number; cost: number };
  fate: Fate;
}

export class ReferenceLedger {
  readonly attempts: ReferenceAttempt[] = [];

  reserve(request: Pick<ReferenceAttempt, 'node' | 'isFinal' | 'tokens' | 'cost'>): ReferenceAttempt {
    const attempt: ReferenceAttempt = { ...request, fromKept: { tokens: 0, cost: 0 }, fate: 'waiting' };
    this.attempts.push(attempt);
    if (pathOf(attempt.node).some((node) => this.#judge(attempt, node) === 'never')) attempt.fate = 'refused';
    this.serve();
    return attempt;
  }

  end(attempt: ReferenceAttempt, used: { tokens: number; cost: number }): void {
    attempt.fate = 'done';
    const { kept } = attempt.node;
    kept.tokens += Math.max(0, attempt.fromKept.tokens - used.tokens);
    kept.cost += Math.max(0, attempt.fromKept.cost - used.cost);
    for (const node of pathOf(attempt.node)) {
      node.tokens += used.tokens;
      node.cost += used.cost;
    }
    this.serve();
  }

  abort(attempts: readonly ReferenceAttempt[]): void {
    for (const attempt of attempts) if (attempt.fate === 'waiting') attempt.fate = 'aborted';
    this.serve();
  }

  serve(): void {
    while (this.#serveOne()) {}
  }

  reserved(node: ReferenceNode): { tokens: number; cost: number } {
    const total = { tokens: 0, cost: 0 };
    for (const { fate, tokens, cost, node: at } of this.attempts) {
      if (fate !== 'held' || !isWithin(at, node)) continue;
      total.tokens += tokens;
      total.cost += cost;
    }
    return total;
  }

  /**
   * In order, urgent ones first; a call that cannot continue at a point blocks it, and those on the way, for all after.
   */
  #serveOne(): boolean {
    const blocked = new Set<ReferenceNode>();
    const waiting = this.attempts.filter(({ fate }) => fate === 'waiting');
    for (const attempt of [...waiting.filter((one) => one.isFinal), ...waiting.filter((one) => !one.isFinal)]) {
      const path = pathOf(attempt.node);
      const stop = path.findIndex((node) => blocked.has(node) || this.#judge(attempt, node) !== 'fits');
      const at = path[stop];
      if (at === undefined) return this.#grant(attempt);
      if (!blocked.has(at) && this.#judge(attempt, at) === 'never') {
        attempt.fate = 'refused';
        return true;
      }
      for (const node of path.slice(0, stop + 1)) blocked.add(node);
    }
    return false;
  }

  #grant(attempt: ReferenceAttempt): true {
    attempt.fate = 'held';
    if (!attempt.isFinal) return true;
    const { kept } = attempt.node;
    attempt.fromKept = { tokens: Math.min(kept.tokens, attempt.tokens), cost: Math.min(kept.cost, attempt.cost) };
    kept.tokens -= attempt.fromKept.tokens;
    kept.cost -= attempt.fromKept.cost;
    return true;
  }

  #judge(attempt: ReferenceAttempt, node: ReferenceNode): 'fits' | 'waits' | 'never' {
    const own = attempt.isFinal && attempt.node === node;
    const reserved = this.reserved(node);
    const tokens = node.tokenLimit - node.tokens - (own ? 0 : node.kept.tokens);
    const cost = node.costLimit - node.cost - (own ? 0 : node.kept.cost);
    const over = (amount: number, room: number) => amount > 0 && amount > room;
    if (over(attempt.tokens, tokens) || over(attempt.cost, cost)) return 'never';
    return over(attempt.tokens, tokens - reserved.tokens) || over(attempt.cost, cost - reserved.cost)
      ? 'waits'
      : 'fits';
  }
}

export function pathOf(node: ReferenceNode): ReferenceNode[] {
  return node.parent === undefined ? [node] : [node, ...pathOf(node.parent)];
}

function isWithin(node: ReferenceNode | undefined, above: ReferenceNode): boolean {
  return node !== undefined && (node === above || isWithin(node.parent, above));
}
