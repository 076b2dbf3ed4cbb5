import { RlmError } from '../../errors.ts';
import type { ReplLimits } from '../port.ts';
import type { RecoveredGuest, ReplDriver } from './repl-driver.ts';
import { parseOutcome } from './results.ts';

/** A guest that cannot run a cell any more (an audit hook of an earlier one raises, say) is as good as lost. */
export const UNFIT: ReadonlySet<string> = new Set(['channel-violation', 'repl-failure']);
/** Milliseconds for a cell without code, on a guest that has just been brought back. */
const EMPTY_CELL_MS = 5_000;

export interface Recovery {
  readonly driver: ReplDriver;
  readonly limits: ReplLimits;
  /** Why the guest was lost. */
  readonly reason: string;
}

/**
 * Brings a guest back from its last snapshot; afresh where cells had harmed it already at that moment, so that all later
 * ones would be lost with it.
 */
export async function recoverGuest({ driver, limits, reason }: Recovery): Promise<RecoveredGuest> {
  try {
    const recovered = await driver.recover(reason, 'snapshot');
    if (recovered.fresh) return recovered;
    const empty = { op: 'execute', header: { handle: 'recovered' }, parts: [Buffer.alloc(0)] };
    const result = await recovered.link.command({ ...empty, timeoutMs: EMPTY_CELL_MS });
    if (parseOutcome(result, limits).ok) return recovered;
  } catch (error) {
    if (!RlmError.isInstance(error) || !UNFIT.has(error.code)) throw error;
  }
  return driver.recover(reason, 'afresh');
}
