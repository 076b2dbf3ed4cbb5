import type { Limits } from '../limits.ts';
import type { ReplLimits } from '../repl/port.ts';

/** The part of the limits a REPL enforces itself. */
export function replLimits(limits: Limits): ReplLimits {
  const { cellTimeoutMs, outputChars, outputBytes, promptBytes, maxBatchItems, answerBytes } = limits;
  const { memoryBytes, maxProcesses, diskBytes, contextFileBytes } = limits;
  const { sqlTimeoutMs, sqlMemoryBytes, maxSqlRows } = limits;
  const { maxSnapshots, snapshotBytes, maxConcurrentCalls } = limits;
  return {
    cellTimeoutMs,
    outputChars,
    outputBytes,
    promptBytes,
    maxBatchItems,
    answerBytes,
    memoryBytes,
    maxProcesses,
    diskBytes,
    contextFileBytes,
    sqlTimeoutMs,
    sqlMemoryBytes,
    maxSqlRows,
    maxSnapshots,
    snapshotBytes,
    // Some ahead of what is in flight, so that a finished call is followed at once.
    callWindow: 2 * maxConcurrentCalls,
  };
}
