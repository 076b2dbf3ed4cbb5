/**
 * The ledger: what a completion tree may spend and what it has spent. Calls, tokens, money and time.
 *
 * Every completion has its own `Ledger`, opened from its parent's with {@link Ledger.child}. Spending in a child
 * counts in all its ancestors, so a child draws from what they have left, and its own limits only narrow that.
 *
 * @module
 */
import type { Clock } from '../clock.ts';
import type { CallAccount, CallEstimate, Settlement } from '../model/account.ts';
import type { Model } from '../model/port.ts';
import type { BudgetError, BudgetState, LedgerLimits, Resource } from './budget-error.ts';
import type { Usage } from './usage.ts';

/** The purpose of a call. Only `final`, the last call of a completion, may use what {@link Ledger.holdFinal} keeps back. */
export type CallKind = 'root' | 'sub' | 'final';

/** A share of a limit of the tree that has been spent (settled, not merely reserved). */
export interface BudgetWarning {
  readonly resource: Resource;
  /** The share that was passed. */
  readonly fraction: 0.6 | 0.9;
  /** In the resource's unit: calls, tokens, US dollars, milliseconds. */
  readonly spent: number;
  readonly limit: number;
}

/** The options of a new ledger. */
export interface LedgerOptions {
  readonly limits: LedgerLimits;
  readonly clock: Clock;
  /** Called once per resource and share of a limit of the tree. The settled call rethrows its errors. */
  readonly onWarning: (warning: BudgetWarning) => void;
  /** Milliseconds spent before, by the run that is resumed. Default 0. */
  readonly elapsedMs?: number;
}

/** The share of its parent's budget that a child completion may spend. */
export interface ChildOptions {
  readonly limits?: LedgerLimits;
  /** Default: one below the parent. */
  readonly depth?: number;
}

/** Whose call it is. */
export interface AccountOptions {
  readonly kind: CallKind;
  /** The depth it is counted at. Default: the completion's own for `root` and `final`, one below for `sub`. */
  readonly depth?: number;
  /** The place of a sub-call. Without it the account takes one at its first attempt. */
  readonly ticket?: SubCallTicket;
}

/** An account that can also say how much output it could pay for. */
export interface LedgerAccount extends CallAccount {
  /**
   * The most output tokens an attempt with this much input could be allowed, if no call in flight uses any of its reservation;
   * `Infinity` without limits, 0 when not even the input fits.
   */
  affordableOutputTokens(model: Model, inputTokens: number): number;
}

/**
 * The place of one sub-call within `maxSubCalls`. It is held from the start and counts for good from the first attempt
 * that is settled, or from `sent()`.
 */
export interface SubCallTicket {
  /** Something was sent (or a child completion was started): it counts, also when it fails. */
  sent(): void;
  /** The end of the sub-call: gives the place back when nothing was ever sent. Safe in every `finally`. */
  close(): void;
}

/** A call that was paid for earlier, by the run that is resumed. */
export interface BookedCall extends Settlement {
  readonly model: Pick<Model, 'id' | 'price'>;
  readonly depth: number;
}

/** The ledger of one completion. */
export interface Ledger {
  /** 0 for the completion the caller started. */
  readonly depth: number;
  /** The work deadline, in milliseconds since the epoch: after it only the last call may start. `Infinity` without. */
  readonly deadline: number;
  /** The hard deadline: nothing may run after it. */
  readonly hardDeadline: number;
  /** Fires at the work deadline, with a {@link BudgetError} as its reason. */
  readonly workSignal: AbortSignal;
  /** Fires at the hard deadline, with a {@link BudgetError} as its reason. */
  readonly hardSignal: AbortSignal;
  /** The error of a run whose working deadline has passed. */
  timeIsUp(): BudgetError;
  /** Sub-calls of this completion and all below it that were sent. */
  readonly subCalls: number;

  /** The ledger of a child completion. Its hard deadline is this one's work deadline, or its own when that is earlier. */
  child(options?: ChildOptions): Ledger;
  /** Where the attempts of one call are paid from. */
  account(options: AccountOptions): LedgerAccount;
  /** Takes the place of one sub-call, or says why there is none. Never throws and never waits. */
  openSubCall(): SubCallTicket | BudgetError;
  /**
   * Keeps room for one last call back from every other call of this completion and those below. Replaces what was kept
   * before: call it each turn, as the history grows. It is kept within this completion's own limits; when those of a
   * completion above are used up, the last call must fit in what that one has left beyond its own reserve.
   */
  holdFinal(estimate: CallEstimate): void;
  /** Counts a call without asking whether it fits: it was paid for before a resume. */
  book(call: BookedCall): void;
  /**
   * Counts what this completion and all below it had used before a resume, and the sub-calls they had sent. Those above
   * have counted it already.
   */
  recall(calls: readonly BookedCall[], subCalls: number): void;
  /** Limit, spent, reserved and left of one resource, at whichever of this completion and its ancestors has least left. */
  budget(resource: Resource): BudgetState;
  /** The usage of this completion and all below it so far. */
  usage(): Usage;
  /** Ends the completion: timers stop, waiting calls are refused. Calls in flight may still settle. */
  close(): void;
}
