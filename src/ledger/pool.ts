/** Whether an amount can be held: now, once calls in flight have settled for less, or not any more. */
export type Verdict = 'fits' | 'waits' | 'never';

/** One resource of one completion. Whole numbers: calls, tokens, or nano-dollars. */
export class Pool {
  /** `Infinity` without a limit. */
  readonly limit: number;
  /** Settled. */
  spent = 0;
  /** Held for calls in flight. */
  reserved = 0;
  /** Kept back for the completion's last call. */
  kept = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The amount that may be taken now. Never negative. */
  left(mayUseKept: boolean): number {
    return Math.max(0, this.#free(mayUseKept) - this.reserved);
  }

  /** The amount that could be taken if all reservations in flight were returned. */
  leftAtBest(mayUseKept: boolean): number {
    return Math.max(0, this.#free(mayUseKept));
  }

  /** An amount of nothing always fits, also where the limit has been passed. */
  judge(amount: number, mayUseKept: boolean): Verdict {
    if (amount === 0) return 'fits';
    const free = this.#free(mayUseKept);
    if (amount > free) return 'never';
    return amount > free - this.reserved ? 'waits' : 'fits';
  }

  /** Takes from what is kept, as far as it reaches, and says how much that was. */
  takeKept(amount: number): number {
    const taken = Math.min(this.kept, amount);
    this.kept -= taken;
    return taken;
  }

  #free(mayUseKept: boolean): number {
    return this.limit - this.spent - (mayUseKept ? 0 : this.kept);
  }
}
