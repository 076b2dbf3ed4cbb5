import { RlmError } from '../errors.ts';
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
      ...leftOf(error),
    },
  };
}

/** What is left of the resource that a refused call was short of. */
function leftOf({ code, data }: RlmError): Pick<NonNullable<SubCallReply['error']>, 'left'> {
  const { resource, left, limit } = data;
  if (code !== 'budget' || typeof resource !== 'string') return {};
  return { left: { resource, left: Number(left), limit: Number(limit) } };
}
