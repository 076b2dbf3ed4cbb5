import type { BashOutcome, RestartInfo } from '../port.ts';
import type { GuestLost, GuestResult } from './guest-command.ts';
import { checkResult } from './results.ts';
import { readInteger } from './shape.ts';

/** What a bash command came to, as the guest says it. */
export function parseBash(result: GuestResult): BashOutcome {
  const exitCode = readInteger(checkResult(result), 'exit_code', -1000, 1000);
  const { stdout, stderr, durationMs, stopped } = result;
  return { ok: exitCode === 0, exitCode, stdout, stderr, durationMs, timedOut: stopped === 'deadline' };
}

/** The outcome of a bash command that took its guest with it. */
export function lostBash({ record }: GuestLost, restarted: RestartInfo): BashOutcome {
  const { stdout, stderr, durationMs, stopped } = record;
  return { ok: false, exitCode: 137, stdout, stderr, durationMs, timedOut: stopped === 'deadline', restarted };
}
