import type { CallEstimate } from '../model/account.ts';
import { AbortWatch } from './abort-watch.ts';
import type { BudgetError, BudgetState, Resource } from './budget-error.ts';
import { callAt } from './deadline.ts';
import { wholeTokens } from './estimate.ts';
import type {
  AccountOptions,
  BookedCall,
  ChildOptions,
  Ledger,
  LedgerAccount,
  LedgerOptions,
  SubCallTicket,
} from './ledger.ts';
import { ceilingCost, exactCost } from './money.ts';
import { Node, type WaitingAttempt } from './node.ts';
import { closedError, NodeAccount } from './node-account.ts';
import { openSubCall } from './sub-call-ticket.ts';
import type { BookedUsage, Usage } from './usage.ts';
import { WARNING_SHARES, Warnings } from './warnings.ts';

/**
 * The ledger of a new completion tree: that of its root completion.
 *
 * @example
 * ```ts
 * const ledger = createLedger({ limits: { maxTokens: 100_000 }, clock: systemClock, onWarning: () => {} });
 * ledger.holdFinal({ model, inputTokens: 1_200, maxOutputTokens: 1_024 });
 * const reservation = await ledger.account({ kind: 'root' }).reserve(estimate, ledger.workSignal);
 * reservation.settle({ usage: reply.usage });
 * ledger.usage().costUsd;
 * ```
 */
export function createLedger(options: LedgerOptions): Ledger {
  const { clock, limits, elapsedMs } = options;
  const warnings = new Warnings(options.onWarning);
  const tree = { clock, warnings, asked: 0, waiting: 0, aborts: new AbortWatch<WaitingAttempt>() };
  const root = new Node({ tree, parent: undefined, depth: 0, limits, ...(elapsedMs !== undefined && { elapsedMs }) });
  return new NodeLedger(root, warnOfTime(root, warnings));
}

/** Time passes without a call: its warnings have timers of their own. Returns what stops them. */
function warnOfTime({ tree: { clock }, deadline }: Node, warnings: Warnings): () => void {
  const total = deadline.hard - deadline.start;
  const cancels = WARNING_SHARES.map((share) =>
    callAt(clock, deadline.start + Math.ceil(share * total), () =>
      warnings.look('time', clock.now() - deadline.start, total),
    ),
  );
  return () => {
    for (const cancel of cancels) cancel();
  };
}

class NodeLedger implements Ledger {
  readonly #node: Node;
  readonly #onClose: () => void;

  constructor(node: Node, onClose: () => void) {
    this.#node = node;
    this.#onClose = onClose;
  }

  get depth(): number {
    return this.#node.depth;
  }

  get deadline(): number {
    return this.#node.deadline.work;
  }

  get hardDeadline(): number {
    return this.#node.deadline.hard;
  }

  get workSignal(): AbortSignal {
    return this.#node.deadline.workSignal;
  }

  get hardSignal(): AbortSignal {
    return this.#node.deadline.hardSignal;
  }

  timeIsUp(): BudgetError {
    return this.#node.deadline.late();
  }

  get subCalls(): number {
    return this.#node.calls.spent;
  }

  child({ limits = {}, depth = this.depth + 1 }: ChildOptions = {}): Ledger {
    return new NodeLedger(new Node({ tree: this.#node.tree, parent: this.#node, depth, limits }), () => {});
  }

  account(options: AccountOptions): LedgerAccount {
    return new NodeAccount(this.#node, options);
  }

  openSubCall(): SubCallTicket | BudgetError {
    return openSubCall(this.#node);
  }

  holdFinal(estimate: CallEstimate): void {
    const { model, inputTokens, maxOutputTokens } = wholeTokens(estimate);
    const { tokens, cost, line } = this.#node;
    tokens.kept = inputTokens + maxOutputTokens;
    if (model.price !== undefined)
      cost.kept = ceilingCost(model.price, { input: inputTokens, output: maxOutputTokens });
    line.serve();
  }

  book(call: BookedCall): void {
    this.#node.settle(bookedUsage(call));
    this.#node.warn();
  }

  recall(calls: readonly BookedCall[], subCalls: number): void {
    for (const call of calls) this.#node.add(bookedUsage(call));
    this.#node.calls.spent += subCalls;
  }

  budget(resource: Resource): BudgetState {
    return this.#node.tightest(resource);
  }

  usage(): Usage {
    return this.#node.book.usage();
  }

  close(): void {
    if (this.#node.closed) return;
    this.#onClose();
    this.#node.close(closedError());
  }
}

function bookedUsage({ model, usage, depth, possiblyBilled = false }: BookedCall): BookedUsage {
  const cost = model.price === undefined ? undefined : exactCost(model.price, usage);
  return { modelId: model.id, depth, usage, cost, possiblyBilled };
}
