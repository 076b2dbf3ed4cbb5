import type { CallEstimate } from '../model/account.ts';
import type { CallUsage } from '../model/port.ts';

/**
 * The usage as it can be booked: whole numbers that are not negative. A count that is none is replaced by the worst case
 * of the estimate, and the usage is then marked as estimated. Counts above the estimate stand (D113).
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
