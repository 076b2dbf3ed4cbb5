import { RlmError } from '../../errors.ts';
import type { ReplLimits } from '../port.ts';
import type { GuestLink } from './guest-link.ts';
import type { RecoveredGuest, ReplDriver } from './repl-driver.ts';
import { checkResult, parseOutcome } from './results.ts';
import { readInteger } from './shape.ts';

/** A guest that cannot run a cell any more (an audit hook of an earlier one raises, say) is as good as lost. */
export const UNFIT: ReadonlySet<string> = new Set(['channel-violation', 'repl-failure']);
/** Milliseconds for a cell without code, on a guest that has just been brought back. */
const EMPTY_CELL_MS = 5_000;

export interface Recovery {
  readonly driver: ReplDriver;
  readonly limits: ReplLimits;
  /** Why the guest was lost. */
  readonly reason: string;
  /** Commands that had changed the state of the lost guest. */
  readonly changes: number;
}

/** A guest that is back, with the number of commands that have changed its state. */
export interface CountedGuest extends RecoveredGuest {
  readonly changes: number;
}

/**
 * Brings a guest back from its last snapshot; afresh where cells had harmed it already at that moment, so that all later
 * ones would be lost with it.
 */
export async function recoverGuest({ driver, limits, reason, changes }: Recovery): Promise<CountedGuest> {
  try {
    const recovered = await driver.recover(reason, 'snapshot');
    if (recovered.fresh) return { ...recovered, changes: 0 };
    const held = await changesOf(recovered.link, limits);
    const empty = { op: 'execute', header: { handle: 'recovered' }, parts: [Buffer.alloc(0)] };
    const result = await recovered.link.command({ ...empty, timeoutMs: EMPTY_CELL_MS });
    if (parseOutcome(result, limits).ok) {
      return { ...recovered, current: recovered.current && held === changes, changes: held + 1 };
    }
  } catch (error) {
    if (!RlmError.isInstance(error) || !UNFIT.has(error.code)) throw error;
  }
  return { ...(await driver.recover(reason, 'afresh')), changes: 0 };
}

/** How many commands had changed the state that a guest has. */
export async function changesOf(link: GuestLink, limits: ReplLimits): Promise<number> {
  const hello = await link.command({ op: 'hello', header: { limits } });
  return readInteger(checkResult(hello), 'changes', 0, Number.MAX_SAFE_INTEGER);
}
