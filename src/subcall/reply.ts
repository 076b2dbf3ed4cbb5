import { RlmError } from '../errors.ts';
import { BudgetError } from '../ledger/index.ts';
import type { SubCallReply } from '../repl/port.ts';

/** Usage of a call that cost nothing. */
export const NO_USAGE: SubCallReply['usage'] = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** A failed slot: no text, and the reason. Anything but a Fathom error is a defect and is passed on. */
export function failedReply(error: unknown, usage: SubCallReply['usage'] = NO_USAGE): SubCallReply {
  if (!RlmError.isInstance(error)) throw error;
  return {
    ok: false,
    text: '',
    truncated: false,
    usage,
    error: {
      code: error.code,
      message: error.message,
      ...(error instanceof BudgetError && {
        left: { resource: error.resource, left: Number(error.data.left), limit: Number(error.data.limit) },
      }),
    },
  };
}
