import type { LimitReached } from './stop-control.ts';

/** What one turn came to, as far as limits look at it. */
export interface TurnTally {
  /** Commands that did something: cells, bash, snapshots, rollbacks, sub-queries. */
  readonly ran: number;
  readonly cellsOk: number;
  readonly cellsFailed: number;
  /** An answer was given, and refused. */
  readonly refusedAnswer: boolean;
  /** Failed validations of a typed answer, each with every error. */
  readonly invalidAnswers: readonly (readonly string[])[];
  readonly subCallsSent: number;
  /** Sub-calls the ledger refused, by the resource that was short. */
  readonly refusals: ReadonlyMap<'calls' | 'tokens' | 'cost' | 'time', number>;
  /** A QUERY_LLM command in the reply's text was refused by the ledger. */
  readonly queryRefused: boolean;
}

/** Limits on turns, as opposed to those the ledger keeps. */
export interface TurnLimits {
  readonly maxTurns: number;
  readonly maxConsecutiveErrors: number;
  readonly maxEmptyTurns: number;
  readonly maxRepairs: number;
}

const RESOURCE_STOP = { calls: 'call-limit', tokens: 'token-limit', cost: 'cost-limit', time: 'time-limit' } as const;

/** Counts what goes on from turn to turn, and says when a limit on it is reached. */
export class Progress {
  readonly #limits: TurnLimits;
  #errorTurns = 0;
  #emptyTurns = 0;
  #refusedTurns = 0;
  #repairs = 0;
  #lastErrors: readonly string[] = [];
  readonly #refusedNames = new Set<string>();
  /** A cell or bash command was executed, also one that failed. */
  inspected = false;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** True the first time a name is refused: `FINAL(name)` of an unbound name is taken as text after that. */
  refuseName(name: string): boolean {
    if (this.#refusedNames.has(name)) return false;
    this.#refusedNames.add(name);
    return true;
  }

  /** Counts a turn; the limit it reached, if one. */
  count(turn: TurnTally, number: number): LimitReached | undefined {
    this.#errorTurns = turn.cellsFailed > 0 && turn.cellsOk === 0 ? this.#errorTurns + 1 : 0;
    this.#emptyTurns = turn.ran === 0 && !turn.refusedAnswer ? this.#emptyTurns + 1 : 0;
    const refused = [...turn.refusals.values()].reduce((sum, count) => sum + count, 0);
    this.#refusedTurns = refused > 0 && turn.subCallsSent === 0 ? this.#refusedTurns + 1 : 0;
    this.#repairs = turn.invalidAnswers.length > 0 ? this.#repairs + turn.invalidAnswers.length : 0;
    this.#lastErrors = turn.invalidAnswers.at(-1) ?? this.#lastErrors;
    return this.#reached(turn, number);
  }

  #reached(turn: TurnTally, number: number): LimitReached | undefined {
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

function refusalLimit(turn: TurnTally): LimitReached {
  const [resource] = [...turn.refusals].sort((a, b) => b[1] - a[1])[0] ?? ['calls' as const];
  return {
    stop: RESOURCE_STOP[resource],
    reason: `sub-calls are refused because the budget for ${resource} is used up`,
  };
}

/** The stop reason of a refusal by the ledger. */
export function stopOfResource(resource: keyof typeof RESOURCE_STOP): LimitReached['stop'] {
  return RESOURCE_STOP[resource];
}
