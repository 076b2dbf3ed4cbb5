import type { Clock } from '../clock.ts';
import { type BudgetWarning, createLedger, type Ledger } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';

/** One account for several runs: each spends from what is left of it. */
export interface SharedBudget {
  /** Opens the account of a run; `onWarning` is called when a share of the whole account is spent. */
  readonly open: (limits: Limits, onWarning: (warning: BudgetWarning) => void) => Ledger;
  /** Spending of all runs together. */
  readonly ledger: Pick<Ledger, 'usage' | 'subCalls'>;
  /** Ends the account, and everything that still waits for a part of it. */
  readonly close: () => void;
}

/** Opens an account. Its time begins now. */
export function shareBudget(limits: Limits, clock: Clock): SharedBudget {
  const listeners = new Set<(warning: BudgetWarning) => void>();
  const ledger = createLedger({
    limits,
    clock,
    onWarning: (warning) => {
      for (const listener of listeners) listener(warning);
    },
  });
  return {
    ledger,
    open(own, onWarning) {
      // A run that has ended ignores warnings, because its events are closed.
      listeners.add(onWarning);
      return ledger.child({ limits: own, depth: 0 });
    },
    close: () => ledger.close(),
  };
}
