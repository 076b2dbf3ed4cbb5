import { RlmError } from '../errors.ts';
import type { CallEstimate, Reservation } from '../model/account.ts';
import type { Model } from '../model/port.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { BudgetError } from './budget-error.ts';
import { requirePrice } from './estimate.ts';
import type { AccountOptions, LedgerAccount, SubCallTicket } from './ledger.ts';
import { outputTokensFor } from './money.ts';
import type { Node } from './node.ts';
import { openSubCall } from './sub-call-ticket.ts';

/** Pays the attempts of one call at one completion. */
export class NodeAccount implements LedgerAccount, AttemptOwner {
  readonly #node: Node;
  readonly #isFinal: boolean;
  readonly #depth: number;
  readonly #takesPlace: boolean;
  #ticket: SubCallTicket | undefined;
  #wasSent = false;

  constructor(node: Node, options: AccountOptions) {
    this.#node = node;
    this.#isFinal = options.kind === 'final';
    this.#depth = options.depth ?? node.depth + (options.kind === 'sub' ? 1 : 0);
    this.#takesPlace = options.kind === 'sub' && options.ticket === undefined;
    this.#ticket = options.ticket;
  }

  reserve(estimate: CallEstimate, signal: AbortSignal): Promise<Reservation> {
    try {
      const attempt = this.#attempt(estimate, signal);
      return attempt.holdNow() ? Promise.resolve(attempt) : attempt.wait(signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  affordableOutputTokens(model: Model, inputTokens: number): number {
    let most = Number.POSITIVE_INFINITY;
    for (const node of this.#node.path()) {
      const mayUseKept = this.#isFinal && node === this.#node;
      most = Math.min(most, Math.max(0, node.tokens.leftAtBest(mayUseKept) - inputTokens));
      if (model.price !== undefined && node.cost.limit !== Number.POSITIVE_INFINITY) {
        most = Math.min(most, outputTokensFor(model.price, inputTokens, node.cost.leftAtBest(mayUseKept)));
      }
    }
    return most;
  }

  sent(): void {
    this.#wasSent = true;
    this.#ticket?.sent();
  }

  /** Gives a place back that the account took by itself; the next attempt takes one again. */
  neverSent(): void {
    if (!this.#takesPlace || this.#wasSent) return;
    this.#ticket?.close();
    this.#ticket = undefined;
  }

  #attempt(estimate: CallEstimate, signal: AbortSignal): Attempt {
    const node = this.#node;
    signal.throwIfAborted();
    if (node.isClosed()) throw closedError();
    if (node.deadline.passed(this.#isFinal)) throw node.deadline.late();
    requirePrice(node, estimate.model);
    const attempt = new Attempt({ node, depth: this.#depth, isFinal: this.#isFinal, owner: this, estimate });
    this.#takePlace();
    return attempt;
  }

  #takePlace(): void {
    if (!this.#takesPlace || this.#ticket !== undefined) return;
    const ticket = openSubCall(this.#node);
    if (ticket instanceof BudgetError) throw ticket;
    this.#ticket = ticket;
  }
}

/** A completion that has ended pays for nothing more. */
export function closedError(): RlmError {
  return new RlmError({ code: 'cancelled', message: 'The completion has ended; the call was not sent.' });
}
