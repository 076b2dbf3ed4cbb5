import type { Step } from '../journal/index.ts';
import { BudgetError, type SubCallTicket } from '../ledger/index.ts';
import type { SubCallContext } from './context.ts';

/** The place of a call that was begun before an interruption: it was counted then. */
const COUNTED: SubCallTicket = { sent: () => undefined, close: () => undefined };

/**
 * The place of one sub-call within `maxSubCalls`.
 *
 * @throws BudgetError when none is left
 */
export function placeFor(step: Pick<Step, 'again'>, { ledger }: Pick<SubCallContext, 'ledger'>): SubCallTicket {
  if (step.again) return COUNTED;
  const ticket = ledger.openSubCall();
  if (ticket instanceof BudgetError) throw ticket;
  return ticket;
}
