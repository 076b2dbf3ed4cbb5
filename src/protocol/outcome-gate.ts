import type { Outcome } from './command.ts';

/** Lets outcomes out when they are certain: what is out cannot be taken back. */
export interface OutcomeGate {
  /**
   * Lets a command out, valid or not, that has closed. What was held no longer counts. A quotation is not a command: it
   * waits for one, or for the end.
   */
  readonly give: (outcome: Outcome) => void;
  /** Holds a block without a tag: it counts only if nothing is given up to the end. */
  readonly holdUntagged: (outcome: Outcome) => void;
  /** Holds a command in the middle of a line: it counts only if neither a command nor an untagged block does. */
  readonly holdMention: (outcome: Outcome) => void;
  /** True once something was given; from then on nothing is held. */
  readonly settled: () => boolean;
  /** Forgets what is held. */
  readonly drop: () => void;
  /** At the end: lets out what counts of what was held. */
  readonly finish: () => void;
}

/** A gate in front of `emit`. */
export function createOutcomeGate(emit: (outcome: Outcome) => void): OutcomeGate {
  let settled = false;
  let untagged: Outcome[] = [];
  let mentions: Outcome[] = [];
  let quotations: Outcome[] = [];

  function drop(): void {
    untagged = [];
    mentions = [];
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

  function finish(): void {
    for (const outcome of quotations) emit(outcome);
    for (const outcome of untagged.length > 0 ? untagged : mentions) emit(outcome);
  }

  function holdUntagged(outcome: Outcome): void {
    if (!settled) untagged.push(outcome);
  }

  function holdMention(outcome: Outcome): void {
    if (!settled) mentions.push(outcome);
  }

  return { give, holdUntagged, holdMention, settled: () => settled, drop, finish };
}

function isQuotation(outcome: Outcome): boolean {
  return outcome.kind === 'rejection' && outcome.rejection.code === 'quotation';
}
