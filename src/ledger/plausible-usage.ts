import type { CallEstimate } from '../model/account.ts';
import type { CallUsage } from '../model/port.ts';

/**
 * The usage as it can be booked: whole numbers that are not negative. An invalid count is replaced by the worst case
 * of the estimate, and the usage is then marked as estimated. Counts above the estimate are kept: providers bill tokens that no estimate sees.
 */
export function plausibleUsage(usage: CallUsage, estimate: CallEstimate): CallUsage {
  const { inputTokens, outputTokens, cachedTokens, costUsd } = usage;
  if (isCount(inputTokens) && isCount(outputTokens) && (cachedTokens === undefined || isCount(cachedTokens))) {
    return usage;
  }
  return {
    inputTokens: isCount(inputTokens) ? inputTokens : estimate.inputTokens,
    outputTokens: isCount(outputTokens) ? outputTokens : estimate.maxOutputTokens,
    ...(cachedTokens !== undefined && isCount(cachedTokens) && { cachedTokens }),
    ...(costUsd !== undefined && { costUsd }),
    estimated: true,
  };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
