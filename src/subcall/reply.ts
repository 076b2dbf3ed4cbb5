import { RlmError } from '../errors.ts';
import type { Step } from '../journal/index.ts';
import { BudgetError, type Ledger, type SubCallTicket } from '../ledger/index.ts';
import type { SubCallReply } from '../repl/port.ts';

/** Usage of a call that cost nothing. */
export const NO_USAGE: SubCallReply['usage'] = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** A failed slot: no text, and the reason. Errors of other classes are defects and are rethrown. */
export function failedReply(error: unknown, usage: SubCallReply['usage'] = NO_USAGE): SubCallReply {
  if (!RlmError.isInstance(error)) throw error;
  return {
    ok: false,
    text: '',
    truncated: false,
    usage,
    // Only reasoning arrived: the cell can look at it.
    ...(typeof error.data.reasoning === 'string' && { reasoning: error.data.reasoning }),
    error: {
      code: error.code,
      message: typeof error.data.reasoning === 'string' ? `${error.message} .reasoning has it.` : error.message,
      ...leftOf(error),
    },
  };
}

/** The remaining amount of the resource that the call exceeded. */
function leftOf({ code, data }: RlmError): Pick<NonNullable<SubCallReply['error']>, 'left'> {
  const { resource, left, limit } = data;
  if (code !== 'budget' || typeof resource !== 'string') return {};
  return { left: { resource, left: Number(left), limit: Number(limit) } };
}

/** The slot of a call that began before an interruption and was counted then. */
export const COUNTED: SubCallTicket = { sent: () => undefined, close: () => undefined };

/**
 * The slot of one sub-call within `maxSubCalls`.
 *
 * @throws BudgetError when none is left
 */
export function openSlot(step: Pick<Step, 'again'>, ledger: Pick<Ledger, 'openSubCall'>): SubCallTicket {
  if (step.again) return COUNTED;
  const slot = ledger.openSubCall();
  if (slot instanceof BudgetError) throw slot;
  return slot;
}
