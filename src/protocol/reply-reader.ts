import type { Outcome } from './command.ts';
import { type FencedBlock, openFencedBlock } from './fenced-block.ts';
import { createOutcomeGate } from './outcome-gate.ts';
import type { Quote } from './quotes.ts';
import { createReasoningFilter } from './reasoning.ts';
import { createVisibleLines } from './visible-lines.ts';

/** Reads a reply line by line. */
export interface ReplyReader {
  /** Takes the next line, without its line end. */
  readonly line: (raw: string) => void;
  /** The last line has been taken. */
  readonly end: (end: { readonly cutOff: boolean }) => void;
}

/**
 * The one reader behind both parsers: each line belongs to reasoning, a fenced block, a command line, or is prose.
 *
 * Everything up to the first command that closes, valid or not, can still turn out to be reasoning, by a closing tag without
 * an opening one. Later such a tag has no force, since what was given out cannot be taken back.
 */
export function createReplyReader(emit: (outcome: Outcome) => void): ReplyReader {
  const gate = createOutcomeGate(emit);
  const neverClosed = new Set<Quote>();
  let block: FencedBlock | undefined;
  const lines = createVisibleLines(gate, (opening) => {
    block = openFencedBlock(opening, neverClosed);
  });
  const reasoning = createReasoningFilter(() => {
    if (gate.settled()) return false;
    lines.drop();
    gate.drop();
    return true;
  });

  function closeBlock({ opening }: FencedBlock, outcome: Outcome | undefined): void {
    block = undefined;
    if (outcome === undefined) return;
    if (opening.kind === 'untagged') gate.holdUntagged(outcome);
    else gate.give(outcome);
  }

  function line(raw: string): void {
    if (block === undefined) {
      const visible = reasoning.line(raw);
      if (visible !== undefined) lines.add(visible);
    } else if (block.add(raw)) closeBlock(block, block.outcome());
  }

  function end(finish: { readonly cutOff: boolean }): void {
    for (let again = block?.giveBack(); block !== undefined && again !== undefined; again = block?.giveBack()) {
      closeBlock(block, block.outcome());
      for (const raw of again) line(raw);
    }
    const rest = reasoning.rest();
    if (rest !== undefined) lines.add(rest);
    lines.finish(finish);
    if (block !== undefined) closeBlock(block, block.unclosedOutcome(finish));
    gate.finish();
  }

  return { line, end };
}
