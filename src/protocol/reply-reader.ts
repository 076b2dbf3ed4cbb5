import type { Outcome } from './command.ts';
import { commandHeadAt, commandMention } from './command-head.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';
import { fenceOpening } from './fence.ts';
import { type FencedBlock, openFencedBlock } from './fenced-block.ts';
import type { Quote } from './quotes.ts';
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
 * The one reader behind both parsers. Each line is prose, or belongs to a fenced block or a command line.
 *
 * What is given out cannot be taken back, so what is not certain is held: an untagged block until the end of the reply or
 * the first other command; a mention in the middle of a line likewise; everything up to the first command that closes, valid
 * or not, can still turn out to be reasoning by a closing tag without an opening one. Later such a tag has no force.
 */
export function createReplyReader(emit: (outcome: Outcome) => void): ReplyReader {
  const neverClosed = new Set<Quote>();
  const reasoning = createReasoningFilter(dropAll);
  let block: FencedBlock | undefined;
  let command: CommandLine | undefined;
  let settled = false;
  let untagged: Outcome[] = [];
  let mentions: Outcome[] = [];

  function give(outcome: Outcome | undefined): void {
    if (outcome === undefined) return;
    settled = true;
    untagged = [];
    mentions = [];
    emit(outcome);
  }

  function dropAll(): boolean {
    if (settled) return false;
    command = undefined;
    untagged = [];
    mentions = [];
    return true;
  }

  function closeBlock(outcome: Outcome | undefined): void {
    if (block?.opening.kind !== 'untagged') give(outcome);
    else if (outcome !== undefined && !settled) untagged.push(outcome);
    block = undefined;
  }

  function line(raw: string): void {
    if (block === undefined) {
      const visible = reasoning.line(raw);
      if (visible !== undefined) visibleLine(visible);
    } else if (block.add(raw)) closeBlock(block.outcome());
  }

  function visibleLine(text: string): void {
    const opening = fenceOpening(text);
    const head = opening === undefined ? commandHeadAt(text, 0) : undefined;
    if (opening === undefined && head === undefined) {
      if (command !== undefined) {
        if (command.add(text)) command = undefined;
      } else if (!settled) noteMention(text);
      return;
    }
    command?.finish({ cutOff: false });
    command = undefined;
    if (opening !== undefined) block = openFencedBlock(opening, neverClosed);
    if (head !== undefined) {
      const opened = openCommandLine(text, head, give);
      if (!opened.read()) command = opened;
    }
  }

  function noteMention(text: string): void {
    const at = commandMention(text);
    if (at === -1) return;
    const problem = 'a command in the middle of a line is not run';
    const form = 'write it at the start of a line of its own';
    mentions.push(reject('not-at-line-start', text.slice(at), { problem, form }));
  }

  function end(finish: { readonly cutOff: boolean }): void {
    for (let lines = block?.giveBack(); block !== undefined && lines !== undefined; lines = block?.giveBack()) {
      closeBlock(block.outcome());
      for (const raw of lines) line(raw);
    }
    const rest = reasoning.rest();
    if (rest !== undefined) visibleLine(rest);
    command?.finish(finish);
    if (block !== undefined) closeBlock(block.unclosedOutcome(finish));
    if (settled) return;
    for (const outcome of untagged.length > 0 ? untagged : mentions) emit(outcome);
  }

  return { line, end };
}
