import type { ModelFault } from './model-error.ts';
import type { ProviderAnswer } from './provider-answer.ts';

const QUOTA =
  /insufficient_quota|billing|payment_required|insufficient_(funds|credits|balance)|credit balance is too low|insufficient (credits|balance|funds)|usage limits?\b.*(regain|reached)|perday/;
const KEY =
  /authentication|invalid_api_key|incorrect api key|api key not valid|api_key_invalid|invalid x-api-key|unauthorized|unauthenticated|permission_(error|denied)/;
const CONTEXT_LENGTH =
  /context_length_exceeded|context[_ ](length|window|size)|maximum context|prompt is too long|input is too long|exceed context limit|input token count|input tokens exceed|request_too_large|request too large|too many (input )?tokens|exceed_context_size/;
const MODEL =
  /model_not_found|not_found_error|model .*(does not exist|not found)|does not exist or you do not have access|models\/\S+ is not found|no such model|unknown model/;
const REFUSED = /content_filter|content_policy|content management policy|safety system/;
const OVERLOADED = /overloaded|slow_down|unavailable|at capacity/;
const RATE = /rate_limit|too_many_requests|resource_exhausted|rate limit|throttl/;
const SERVER = /server_error|internal|api_error|timeout|bad_gateway/;
const BAD_REQUEST = /invalid_request|invalid_argument|bad_request|failed_precondition|unsupported/;

/**
 * The fault that a provider's answer means. Its own words outrank the status: overload comes as 200 with an error
 * event, a spent quota as 429, an empty account as 400.
 */
export function faultOf(status: number | undefined, answer: ProviderAnswer | undefined): ModelFault {
  const words = answer === undefined ? '' : `${answer.names} ${answer.message.toLowerCase()}`;
  const client = status === undefined || (status >= 400 && status < 500);
  if (client) {
    if (status === 402 || QUOTA.test(words)) return 'quota';
    if (status === 413 || CONTEXT_LENGTH.test(words)) return 'context-length';
    if (status === 401 || status === 403 || KEY.test(words)) return 'key';
    if (status === 404 || MODEL.test(words)) return 'model';
    if (status !== undefined && REFUSED.test(words)) return 'refused';
  }
  return status === undefined || status < 400 ? faultByName(answer?.names ?? '', words) : faultByStatus(status, words);
}

function faultByStatus(status: number, words: string): ModelFault {
  if (status === 429) return 'rate-limit';
  if (status === 408 || status === 409 || status === 425) return 'server';
  if (status < 500) return OVERLOADED.test(words) ? 'overloaded' : 'bad-request';
  return status === 503 || status === 529 || OVERLOADED.test(words) ? 'overloaded' : 'server';
}

function faultByName(names: string, words: string): ModelFault {
  if (OVERLOADED.test(words)) return 'overloaded';
  if (RATE.test(words)) return 'rate-limit';
  if (SERVER.test(names)) return 'server';
  if (BAD_REQUEST.test(names)) return 'bad-request';
  // An error event without a name we know: the server failed in the middle of its work.
  return 'server';
}

/** The two sizes of a context-length message, in tokens, where it has them. */
export function readSizes(answer: ProviderAnswer | undefined): { limit: number | undefined; size: number | undefined } {
  const text = answer?.message ?? '';
  const number = (pattern: RegExp): number | undefined => {
    const digits = pattern.exec(text)?.[1];
    return digits === undefined ? undefined : Number(digits.replaceAll(',', ''));
  };
  const size =
    number(/resulted in (?:about )?([\d,]+) tokens/i) ??
    number(/requested (?:about )?([\d,]+)/i) ??
    number(/too long: ([\d,]+) tokens/i) ??
    number(/(?:has|contains)(?: at least)? ([\d,]+) input tokens/i) ??
    // LM Studio.
    number(/keep the first ([\d,]+) tokens/i) ??
    number(/token count(?: of)? \(?([\d,]+)/i) ??
    sum(text) ??
    number(/([\d,]+) tokens? >/i);
  const limit =
    // Anthropic's `199211 + 20000 > 200000` names the limit last.
    number(/> ([\d,]+)/) ??
    number(
      /(?:maximum context length|context limit|limit|context length|context window)(?: is| of|:)?(?: only)? ([\d,]+)/i,
    ) ??
    number(/allowed \(?([\d,]+)/i);
  return { limit: limit ?? answer?.limit, size: size ?? answer?.size };
}

/** Anthropic's `199211 + 20000 > 200000`. */
function sum(text: string): number | undefined {
  const [, input, output] = /(\d+) \+ (\d+) >/.exec(text) ?? [];
  return input === undefined || output === undefined ? undefined : Number(input) + Number(output);
}
