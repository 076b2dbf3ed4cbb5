import type { CallUsage, Confirm, Model } from './port.ts';

/** The worst case of one attempt, known before it is sent. */
export interface CallEstimate {
  readonly model: Model;
  /** Estimated tokens of everything sent. */
  readonly inputTokens: number;
  /** The provider's maximum as sent. */
  readonly maxOutputTokens: number;
}

/** The usage of an attempt that was sent. */
export interface Settlement {
  readonly usage: CallUsage;
  /** The provider may have charged for an answer that never arrived whole. */
  readonly possiblyBilled?: boolean;
}

/** Room held for one attempt. Exactly one of `settle` and `release` is called, once. */
export interface Reservation {
  /**
   * The sender awaits it right before it sends the attempt. An account that records attempts in flight writes the
   * record here.
   */
  readonly sending?: () => Promise<void>;
  /** See {@link Confirm}. */
  readonly confirm?: Confirm;
  /** The attempt was sent: gives back what it did not use and books what it did. */
  settle(settlement: Settlement): void;
  /** The attempt was never sent: gives everything back. */
  release(): void;
}

/** Where a call's attempts are paid from. */
export interface CallAccount {
  /**
   * Holds room for one attempt; waits while only reservations in flight stand in the way.
   *
   * @throws BudgetError when the attempt cannot fit, before anything is sent
   */
  reserve(estimate: CallEstimate, signal: AbortSignal): Promise<Reservation>;
}
