import type { Outcome } from './command.ts';

/** How much a held outcome counts: the first kind that is there counts alone. */
type Held = 'untagged' | 'reasoning' | 'mention' | 'answer';
const PRIORITY: readonly Held[] = ['untagged', 'reasoning', 'mention', 'answer'];

/** Lets outcomes out when they are certain: an outcome that is out cannot be taken back. */
export interface OutcomeGate {
  /**
   * Lets a command out, valid or not, that has closed. What was held no longer counts. A quotation is not a command: it
   * waits for one, or for the end.
   */
  readonly give: (outcome: Outcome) => void;
  /**
   * Holds an outcome that counts only if no command comes: a block without a tag, commands inside reasoning that never
   * closed, a command in the middle of a line, an answer in a sentence. Of these kinds the first that is there counts.
   */
  readonly hold: (kind: Held, outcome: Outcome) => void;
  /** True once something was given; from then on nothing is held. */
  readonly settled: () => boolean;
  /** True while something of that kind is held. */
  readonly holds: (kind: Held) => boolean;
  /** Forgets what is held. */
  readonly drop: () => void;
  /** At the end: lets out what counts of what was held. */
  readonly finish: () => void;
}

/** A gate in front of `emit`. */
export function createOutcomeGate(emit: (outcome: Outcome) => void): OutcomeGate {
  let settled = false;
  let held = new Map<Held, Outcome[]>();
  let quotations: Outcome[] = [];

  function drop(): void {
    held = new Map();
    quotations = [];
  }

  function give(outcome: Outcome): void {
    if (!settled && isQuotation(outcome)) {
      quotations.push(outcome);
      return;
    }
    settled = true;
    for (const quotation of quotations) emit(quotation);
    drop();
    emit(outcome);
  }

  function hold(kind: Held, outcome: Outcome): void {
    if (settled) return;
    const outcomes = held.get(kind);
    if (outcomes === undefined) held.set(kind, [outcome]);
    else outcomes.push(outcome);
  }

  function finish(): void {
    for (const outcome of quotations) emit(outcome);
    const kind = PRIORITY.find((candidate) => held.has(candidate));
    for (const outcome of kind === undefined ? [] : (held.get(kind) ?? [])) emit(outcome);
  }

  return { give, hold, settled: () => settled, holds: (kind) => held.has(kind), drop, finish };
}

function isQuotation(outcome: Outcome): boolean {
  return outcome.kind === 'rejection' && outcome.rejection.code === 'quotation';
}
