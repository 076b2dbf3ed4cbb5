import type { Outcome } from './command.ts';
import { type CommandHead, commandHeadAt, commandMention } from './command-head.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';
import { type FencedBlock, type FenceOpening, fenceOpening, openFencedBlock } from './fenced-block.ts';
import type { Quote } from './literal.ts';
import { createReasoningFilter } from './reasoning.ts';
import { reject } from './rejection.ts';

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

/** What is left of a reply outside blocks and reasoning: command lines and prose. */
export interface VisibleLines {
  /** Takes the next line; one that opens a fence goes to the block it opens. */
  readonly add: (text: string) => void;
  /** Forgets the command line that is open. */
  readonly drop: () => void;
  /** No line can follow: decides the command line that is open. */
  readonly finish: (ending: { readonly cutOff: boolean }) => void;
}

/**
 * Reads the lines outside blocks. A fence and a command line end the command line before them.
 *
 * @param gate takes commands, and mentions of commands in prose
 * @param openBlock called with each opening fence
 */
export function createVisibleLines(gate: OutcomeGate, openBlock: (opening: FenceOpening) => void): VisibleLines {
  let command: CommandLine | undefined;

  function finish(ending: { readonly cutOff: boolean }): void {
    command?.finish(ending);
    command = undefined;
  }

  function startCommand(text: string, head: CommandHead): void {
    const started = openCommandLine(text, head, gate.give);
    command = started.read() ? undefined : started;
  }

  function addProse(text: string): void {
    if (command !== undefined) {
      if (command.add(text)) command = undefined;
    } else if (!gate.settled()) {
      const at = commandMention(text);
      if (at !== -1) gate.holdMention(notAtLineStart(text.slice(at)));
    }
  }

  function add(text: string): void {
    const opening = fenceOpening(text);
    const head = opening === undefined ? commandHeadAt(text, 0) : undefined;
    if (opening === undefined && head === undefined) addProse(text);
    else finish({ cutOff: false });
    if (opening !== undefined) openBlock(opening);
    if (head !== undefined) startCommand(text, head);
  }

  function drop(): void {
    command = undefined;
  }

  return { add, drop, finish };
}

function notAtLineStart(read: string): Outcome {
  const problem = 'a command in the middle of a line is not run';
  return reject('not-at-line-start', read, { problem, form: 'write it at the start of a line of its own' });
}

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
