/**
 * The one account of calls, tokens, money and time for a whole completion tree: reserve before a call is sent, settle
 * after it, refuse what does not fit before anything is sent.
 *
 * @module
 */
export type { CallAccount } from '../model/account.ts';
export {
  BudgetError,
  type LedgerLimits,
  type Resource,
} from './budget-error.ts';
export { createLedger } from './create-ledger.ts';
export { LAST_CALL_MS } from './deadline.ts';
export { hasKnownCost, priceUnknown } from './estimate.ts';
export type {
  BookedCall,
  BudgetWarning,
  CallKind,
  Ledger,
  LedgerAccount,
  SubCallTicket,
} from './ledger.ts';
export { sumUsage, type Usage, type UsageTotals } from './usage.ts';
