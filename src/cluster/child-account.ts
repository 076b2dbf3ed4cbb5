import type { ChildOptions } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import type { CallKind, Ledger, LedgerAccount } from '../ledger/ledger.ts';
import type { Reservation, Settlement } from '../model/account.ts';
import type { Model } from '../model/index.ts';
import type { CallUsage } from '../model/port.ts';
import type { JournalEntry } from '../store/port.ts';
import { COUNTED } from '../subcall/reply.ts';

/** The effect of an entry on the account, once the entry is stored. */
interface Booked {
  apply(): void;
  undo(): void;
}

const NOTHING: Booked = { apply: () => undefined, undo: () => undefined };

/** Fields of the entries that concern money. */
interface Begin {
  readonly attempt: number;
  readonly kind: 'root' | 'final' | 'sub' | 'compaction';
  readonly model: string;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
}

interface Settled {
  readonly attempt: number;
  /** Absent when it was never sent. */
  readonly settlement?: Settlement;
}

/**
 * The account of a child that a worker runs. The worker's journal entries are its bookings: an attempt is reserved with the record
 * that it begins, which is answered before the worker may send it, and settled with the record of its end.
 */
export class ChildAccount {
  readonly #options: ChildOptions;
  readonly #ledger: Ledger;
  readonly #accounts = new Map<string, LedgerAccount>();
  /** Keys of calls that began before this process had the run: the sub-calls of a resumed run are counted already. */
  readonly #counted = new Set<string>();
  /** Attempts under way, by key and number. */
  readonly #open = new Map<string, { readonly reservation: Reservation; readonly worst: CallUsage }>();

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#ledger = options.parent.ledger.child();
  }

  /** Takes note of what is recorded of the child when a worker begins with it. */
  noteRecorded(entries: readonly JournalEntry[]): void {
    for (const { kind, key } of entries) if (kind === 'begin' && !this.#accounts.has(key)) this.#counted.add(key);
  }

  /** Reserves what an entry announces, before it is stored. @throws BudgetError */
  async before({ kind, key, body }: JournalEntry, signal: AbortSignal): Promise<Booked> {
    const fields = body as unknown as Begin & Settled & { readonly settled?: Settled };
    if (kind === 'begin') return await this.#begin(key, fields, signal);
    if (kind === 'settle') return this.#settle(key, fields);
    if (kind === 'step' && fields.settled !== undefined) return this.#settle(key, fields.settled);
    if (kind === 'child') return this.#startChild();
    return NOTHING;
  }

  /** Attempts under way count as possibly billed, at their worst case. */
  close(): void {
    for (const { reservation, worst } of this.#open.values())
      reservation.settle({ usage: worst, possiblyBilled: true });
    this.#open.clear();
    this.#ledger.close();
  }

  async #begin(key: string, begin: Begin, signal: AbortSignal): Promise<Booked> {
    const { attempt, inputTokens, maxOutputTokens } = begin;
    const model = await modelOf(this.#options, begin.model);
    const worst = { inputTokens, outputTokens: maxOutputTokens, estimated: true };
    const reservation = await this.#accountOf(key, begin.kind).reserve({ model, inputTokens, maxOutputTokens }, signal);
    return {
      apply: () => void this.#open.set(`${key} ${attempt}`, { reservation, worst }),
      undo: () => reservation.release(),
    };
  }

  #settle(key: string, { attempt, settlement }: Settled): Booked {
    const at = `${key} ${attempt}`;
    return {
      ...NOTHING,
      apply: () => {
        const open = this.#open.get(at);
        this.#open.delete(at);
        if (settlement === undefined) open?.reservation.release();
        else open?.reservation.settle(settlement);
      },
    };
  }

  /** A child of the child counts as one sub-call. */
  #startChild(): Booked {
    const ticket = this.#ledger.openSubCall();
    if (!('sent' in ticket)) throw ticket;
    return {
      apply: () => {
        ticket.sent();
        ticket.close();
      },
      undo: () => ticket.close(),
    };
  }

  /** The attempts of one step are paid from one account, and count as one sub-call. */
  #accountOf(key: string, kind: Begin['kind']): LedgerAccount {
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const counted: CallKind = kind === 'compaction' ? 'root' : kind;
    const depth =
      this.#options.parent.depth + levelsBelow(key, this.#options.child.journal.path) + (counted === 'sub' ? 1 : 0);
    const ticket = this.#counted.has(key) ? { ticket: COUNTED } : {};
    const account = this.#ledger.account({ kind: counted, depth, ...ticket });
    this.#accounts.set(key, account);
    return account;
  }
}

/** A model of a run by its id. @throws RlmError `model-not-found` */
export async function modelOf({ models }: Pick<ChildOptions, 'models'>, id: string): Promise<Model> {
  const model = await models.withId(id);
  if (model !== undefined) return model;
  throw new RlmError({
    code: 'model-not-found',
    message: `A worker wants to call ${id}, which this run does not use.`,
    data: { model: id },
  });
}

/** 1 for an entry of the child itself, one more for each level of children below it. */
function levelsBelow(key: string, path: string): number {
  return key.slice(path.length).split('>').length - 1;
}
