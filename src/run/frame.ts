import type { Engine } from '../engine/engine.ts';
import { StopControl } from '../engine/stop-control.ts';
import type { EventBus } from '../event/bus.ts';
import { createLedger, type Ledger } from '../ledger/index.ts';
import { type Limits, resolveLimits } from '../limits.ts';
import type { ParentRun } from './open-run.ts';

/** The limits, the ledger and the stop control of a run: there before anything else, so that it can be stopped from the start. */
export interface RunFrame {
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly stop: StopControl;
}

export interface FrameOptions {
  readonly engine: Engine;
  readonly limits: Partial<Limits> | undefined;
  readonly events: EventBus;
  readonly parent: ParentRun | undefined;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds the run was at work before it was interrupted. */
  readonly elapsedMs?: number;
}

/** @throws RlmError `invalid-limit` */
export function openFrame({ engine, limits: own, events, parent, signal, elapsedMs = 0 }: FrameOptions): RunFrame {
  const limits = resolveLimits(own, parent?.limits ?? engine.defaults.limits);
  const ledger =
    parent?.ledger.child({ limits }) ??
    createLedger({
      elapsedMs,
      limits,
      clock: engine.clock,
      onWarning: (warning) => events.emit({ type: 'budget.warning', ...warning }),
    });
  return { limits, ledger, stop: new StopControl(ledger, signal) };
}
