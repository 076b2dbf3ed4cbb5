import type { Resource } from './budget-error.ts';
import type { BudgetWarning } from './ledger.ts';

/** The shares of a limit of the tree at which a warning is given. */
export const WARNING_SHARES = [0.6, 0.9] as const;

/** Gives each warning of a tree once. */
export class Warnings {
  readonly #onWarning: (warning: BudgetWarning) => void;
  readonly #given: Record<Resource, number> = { calls: 0, tokens: 0, cost: 0, time: 0 };

  constructor(onWarning: (warning: BudgetWarning) => void) {
    this.#onWarning = onWarning;
  }

  /** Warns of every share that `spent` has reached and that was not warned of before. */
  look(resource: Resource, spent: number, limit: number): void {
    if (limit === 0 || limit === Number.POSITIVE_INFINITY) return;
    while (true) {
      const fraction = WARNING_SHARES[this.#given[resource]];
      if (fraction === undefined || spent < fraction * limit) return;
      this.#given[resource] += 1;
      this.#onWarning({ resource, fraction, spent, limit });
    }
  }
}
