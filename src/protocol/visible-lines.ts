import type { Outcome } from './command.ts';
import { type CommandHead, commandHeadAt, commandMention } from './command-head.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';
import { type FenceOpening, fenceOpening } from './fence.ts';
import type { OutcomeGate } from './outcome-gate.ts';
import { reject } from './rejection.ts';

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
