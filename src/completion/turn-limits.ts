import { type LimitReached, stopOfResource } from '../engine/stop-control.ts';
import type { Limits } from '../limits.ts';

/** What one turn did, as far as limits on turns look at it. */
export interface TurnCounts {
  /** Commands that were executed: cells, bash, snapshots, rollbacks, sub-queries. */
  readonly ran: number;
  readonly cellsOk: number;
  readonly cellsFailed: number;
  /** An answer was given, and refused. */
  readonly refusedAnswer: boolean;
  /** What kind of reply it was, where nothing ran. */
  readonly form: string;
  /** Failed validations of a typed answer, each with every error. */
  readonly invalidAnswers: readonly (readonly string[])[];
  readonly subCallsSent: number;
  /** Sub-calls the ledger refused, by the resource that was short. */
  readonly refusals: ReadonlyMap<'calls' | 'tokens' | 'cost' | 'time', number>;
  /** A QUERY_LLM command in the reply's text was refused by the ledger. */
  readonly queryRefused: boolean;
}

/** The kind of reply that ends the run if it comes once more. */
export type LastChance = 'empty' | 'failed' | 'unfit';

/** Counts from turn to turn, and reports when a limit on turns is reached. The ledger has the other limits. */
export class TurnLimits {
  readonly #limits: Pick<Limits, 'maxTurns' | 'maxConsecutiveErrors' | 'maxEmptyTurns' | 'maxRepairs'>;
  #errorTurns = 0;
  #emptyTurns = 0;
  /** Forms of the empty replies since something ran. */
  readonly #emptyForms = new Set<string>();
  #refusedTurns = 0;
  #repairs = 0;
  #lastErrors: readonly string[] = [];

  constructor(limits: Pick<Limits, 'maxTurns' | 'maxConsecutiveErrors' | 'maxEmptyTurns' | 'maxRepairs'>) {
    this.#limits = limits;
  }

  /** Counts a turn. Returns the limit it reached, if any. */
  count(turn: TurnCounts, number: number): LimitReached | undefined {
    this.#errorTurns = turn.cellsFailed > 0 && turn.cellsOk === 0 ? this.#errorTurns + 1 : 0;
    this.#countEmpty(turn);
    const refused = [...turn.refusals.values()].reduce((sum, count) => sum + count, 0);
    this.#refusedTurns = refused > 0 && turn.subCallsSent === 0 ? this.#refusedTurns + 1 : 0;
    this.#repairs = turn.invalidAnswers.length > 0 ? this.#repairs + turn.invalidAnswers.length : 0;
    this.#lastErrors = turn.invalidAnswers.at(-1) ?? this.#lastErrors;
    return this.#reached(turn, number);
  }

  /** A model that changes its form is learning: the count begins anew, once for each form. */
  #countEmpty({ ran, refusedAnswer, form }: TurnCounts): void {
    if (ran > 0 || refusedAnswer) {
      this.#emptyTurns = 0;
      this.#emptyForms.clear();
      return;
    }
    this.#emptyTurns = this.#emptyForms.has(form) ? this.#emptyTurns + 1 : 1;
    this.#emptyForms.add(form);
  }

  /** After a turn that reached no limit: the kind of reply that reaches one in the next turn. */
  lastChance(): LastChance | undefined {
    const { maxRepairs, maxConsecutiveErrors, maxEmptyTurns } = this.#limits;
    if (this.#emptyTurns > 0 && this.#emptyTurns === maxEmptyTurns - 1) return 'empty';
    if (this.#repairs > 0 && this.#repairs === maxRepairs - 1) return 'unfit';
    return this.#errorTurns > 0 && this.#errorTurns === maxConsecutiveErrors - 1 ? 'failed' : undefined;
  }

  #reached(turn: TurnCounts, number: number): LimitReached | undefined {
    const limits = this.#limits;
    if (this.#repairs > 0 && this.#repairs >= limits.maxRepairs) {
      const reason = `${this.#repairs} answers in a row did not fit the schema (maxRepairs ${limits.maxRepairs}): ${this.#lastErrors.join('; ')}`;
      return { stop: 'error-limit', reason };
    }
    if (this.#errorTurns >= limits.maxConsecutiveErrors) {
      return {
        stop: 'error-limit',
        reason: `${this.#errorTurns} turns in a row failed (maxConsecutiveErrors ${limits.maxConsecutiveErrors})`,
      };
    }
    if (this.#emptyTurns >= limits.maxEmptyTurns) {
      return {
        stop: 'no-code',
        reason: `${this.#emptyTurns} replies in a row held nothing to run (maxEmptyTurns ${limits.maxEmptyTurns})`,
      };
    }
    if (turn.queryRefused || this.#refusedTurns >= 2) return refusalLimit(turn);
    if (number >= limits.maxTurns)
      return {
        stop: 'max-turns',
        reason: `${limits.maxTurns === 1 ? 'the only turn is' : `all ${limits.maxTurns} turns are`} used (maxTurns)`,
      };
    return undefined;
  }
}

function refusalLimit(turn: TurnCounts): LimitReached {
  const [resource] = [...turn.refusals].sort((a, b) => b[1] - a[1])[0] ?? ['calls' as const];
  return {
    stop: stopOfResource(resource),
    reason: `sub-calls are refused because the budget for ${resource} is used up`,
  };
}
