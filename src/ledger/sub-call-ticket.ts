import { BudgetError } from './budget-error.ts';
import type { SubCallTicket } from './ledger.ts';
import type { Node } from './node.ts';

/** Takes the place of one sub-call at this completion and all above it, or says why there is none. */
export function openSubCall(node: Node): SubCallTicket | BudgetError {
  if (node.deadline.passed(false)) return node.deadline.late();
  for (const at of node.path()) {
    if (at.calls.judge(1, false) !== 'fits') return new BudgetError({ ...at.state('calls'), needed: 1 });
  }
  for (const at of node.path()) at.calls.reserved += 1;
  return new Ticket(node);
}

class Ticket implements SubCallTicket {
  readonly #node: Node;
  #state: 'held' | 'given back' | 'spent' = 'held';

  constructor(node: Node) {
    this.#node = node;
  }

  /** A call that is sent after its ticket was returned counts all the same: the ledger records real spending. */
  sent(): void {
    if (this.#state === 'spent') return;
    if (this.#state === 'held') this.#giveBack();
    this.#state = 'spent';
    for (const node of this.#node.path()) node.calls.spent += 1;
    this.#node.warn();
  }

  close(): void {
    if (this.#state !== 'held') return;
    this.#giveBack();
    this.#state = 'given back';
  }

  #giveBack(): void {
    for (const node of this.#node.path()) node.calls.reserved -= 1;
  }
}
