import type { CallAccount, CallEstimate, Reservation, Settlement } from '../model/account.ts';
import type { EntryBodies, EntryKind } from './entries.ts';
import type { StepKind } from './port.ts';

/** Writes one entry; a promise while it is on its way. */
export type WriteEntry = <K extends EntryKind>(kind: K, key: string, body: Omit<EntryBodies[K], 'at'>) => Promise<void>;

/**
 * The attempts of one step. Each is recorded before it is sent. The settlement of the last one waits for the step's
 * result, so that both are recorded together: a crash between them leaves an attempt in flight, never a paid one without
 * its answer.
 */
export class StepAttempts {
  readonly #key: string;
  readonly #kind: StepKind;
  readonly #write: WriteEntry;
  readonly #ownedForMs: () => number | Promise<number>;
  #made: number;
  #last: { readonly attempt: number; readonly settlement: Settlement } | undefined;

  constructor(options: {
    readonly key: string;
    readonly kind: StepKind;
    readonly write: WriteEntry;
    /** Attempts made before the interruption. */
    readonly made: number;
    /** As the store's. */
    readonly ownedForMs: () => number | Promise<number>;
  }) {
    this.#key = options.key;
    this.#kind = options.kind;
    this.#write = options.write;
    this.#made = options.made;
    this.#ownedForMs = options.ownedForMs;
  }

  wrap(account: CallAccount): CallAccount {
    return { reserve: (estimate, signal) => this.#reserve(account, estimate, signal) };
  }

  /** The settlement to record with the result. */
  takeLast(): { readonly attempt: number; readonly settlement: Settlement } | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }

  /** Records the last settlement on its own: its step has no result, or tries again. */
  async settleLast(): Promise<void> {
    const last = this.takeLast();
    if (last !== undefined) await this.#write('settle', this.#key, last);
  }

  async #reserve(account: CallAccount, estimate: CallEstimate, signal: AbortSignal): Promise<Reservation> {
    const reservation = await account.reserve(estimate, signal);
    let attempt: number | undefined;
    return {
      // Money is held long before a slot is free: an attempt is in flight from here on, not from its reservation.
      sending: async () => {
        attempt = ++this.#made;
        await this.#begin(attempt, estimate);
        await reservation.sending?.();
      },
      confirm: () => {
        const owned = this.#ownedForMs();
        return typeof owned === 'number' ? reservation.confirm?.() : this.#untilOwned(owned);
      },
      settle: (settlement) => {
        reservation.settle(settlement);
        if (attempt !== undefined) this.#last = { attempt, settlement };
      },
      release: () => {
        reservation.release();
        // No caller waits for this write: without it the attempt counts as possibly billed, which errs on the safe side.
        if (attempt !== undefined) this.#write('settle', this.#key, { attempt }).catch(ignore);
      },
    };
  }

  /** Asks until the answer is known without waiting: the process may be stopped while an answer is under way. */
  async #untilOwned(asked: Promise<number>): Promise<void> {
    let owned: number | Promise<number> = asked;
    while (typeof owned !== 'number') {
      await owned;
      owned = this.#ownedForMs();
    }
  }

  async #begin(attempt: number, { model, inputTokens, maxOutputTokens }: CallEstimate): Promise<void> {
    const body = { attempt, kind: this.#kind, model: model.id, inputTokens, maxOutputTokens };
    if (this.#last === undefined) await this.#write('begin', this.#key, body);
    else await Promise.all([this.settleLast(), this.#write('begin', this.#key, body)]);
  }
}

function ignore(): void {}
