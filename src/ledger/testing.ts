/** Shared by the ledger's tests: a clock they own, models with prices, and settlements. */
import type { Clock } from '../clock.ts';
import type { CallEstimate, Settlement } from '../model/account.ts';
import type { Model, ModelPrice } from '../model/port.ts';
import {
  BudgetError,
  type BudgetWarning,
  createLedger,
  type Ledger,
  type LedgerLimits,
  type Resource,
} from './index.ts';

/** A clock that only moves when the test advances it. */
export interface ManualClock extends Clock {
  /** Moves on, and runs what has come due, in order. */
  advance(ms: number): void;
  /** How many callbacks wait. */
  readonly pending: number;
}

export function manualClock(start = 1_000_000): ManualClock {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    now: () => now,
    schedule(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      while (true) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}

export function modelOf(id: string, price?: ModelPrice): Model {
  return {
    id,
    provider: 'test',
    price,
    contextTokens: undefined,
    maxOutputTokens: undefined,
    attempt: () => Promise.reject(new Error('The ledger sends nothing.')),
  };
}

/** 1 USD per million tokens in, 2 out. */
export const priced: Model = modelOf('test/priced', { input: 1, output: 2 });
export const unpriced: Model = modelOf('test/unpriced');

export function estimate(inputTokens: number, maxOutputTokens: number, model: Model = priced): CallEstimate {
  return { model, inputTokens, maxOutputTokens };
}

export function used(inputTokens: number, outputTokens: number): Settlement {
  return { usage: { inputTokens, outputTokens, estimated: false } };
}

/** A signal that never fires. */
export const never: AbortSignal = new AbortController().signal;

/** A ledger with its clock, and the warnings it emitted. */
export interface Opened {
  readonly ledger: Ledger;
  readonly clock: ManualClock;
  readonly warnings: BudgetWarning[];
}

export function open(limits: LedgerLimits = {}, clock: ManualClock = manualClock()): Opened {
  const warnings: BudgetWarning[] = [];
  const ledger = createLedger({
    limits,
    clock,
    onWarning: (warning) => warnings.push(warning),
  });
  return { ledger, clock, warnings };
}

/** The state of a promise by now: its value, its error, or `'pending'`. */
export async function now(promise: Promise<unknown>): Promise<unknown> {
  let outcome: unknown = 'pending';
  const set = (value: unknown) => {
    outcome = value;
  };
  promise.then(set, set);
  await flush();
  return outcome;
}

/** Lets everything that is due run. */
export function flush(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function budgetError(value: unknown): BudgetError {
  if (value instanceof BudgetError) return value;
  throw new Error(`Not a BudgetError: ${String(value)}`);
}

/** The amount that may still be spent; `undefined` where there is no limit. */
export function leftOf(
  ledger: Pick<Ledger, 'budget'>,
): Record<'calls' | 'tokens' | 'costUsd' | 'ms', number | undefined> {
  const left = (resource: Resource): number | undefined => {
    const state = ledger.budget(resource);
    return state.limit === Number.POSITIVE_INFINITY ? undefined : state.left;
  };
  return { calls: left('calls'), tokens: left('tokens'), costUsd: left('cost'), ms: left('time') };
}
