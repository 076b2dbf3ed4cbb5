import type { OutcomeGate } from './command.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';
import { type CommandHead, commandHeadAt, commandMention } from './command-syntax.ts';
import { closesFence, FENCE, type FenceOpening, fenceOpening } from './fence.ts';
import {
  type ForeignBlock,
  foreignBehindText,
  openForeignBlock,
  openReactBlock,
  reactAction,
} from './foreign-block.ts';
import { answerInProse, answerInSentence } from './prose-answer.ts';
import { reject } from './rejection.ts';
import type { Quote } from './scan.ts';

/** The lines of a reply outside blocks and reasoning: command lines and prose. */
export interface VisibleLines {
  /** Takes the next line; one that opens a block goes to the block it opens. */
  readonly add: (text: string) => void;
  /** Takes a line of the block that lies in the argument of an open command. */
  readonly addToArgument: (text: string) => void;
  /** True while a block belongs to the argument of an answer that is not closed yet: it must not run. */
  readonly inArgument: () => boolean;
  /** Forgets the command line that is open. */
  readonly drop: () => void;
  /** No line can follow: decides the command line that is open, and returns lines to be read again. */
  readonly finish: (ending: { readonly cutOff: boolean }) => readonly string[];
}

/** Takes the blocks that lines open. */
export interface BlockOpener {
  readonly fenced: (opening: FenceOpening) => void;
  readonly foreign: (block: ForeignBlock) => void;
}

/**
 * Reads the lines outside blocks. A fence and a command line end the command line before them, except inside a quoted
 * argument, and except a fence in the open argument of an answer.
 *
 * @param gate takes commands, and mentions of commands in prose
 * @param neverClosed quotes known not to close in the rest of the reply
 */
export function createVisibleLines(gate: OutcomeGate, blocks: BlockOpener, neverClosed: Set<Quote>): VisibleLines {
  let command: CommandLine | undefined;
  /** The block that is open or came last lies in the argument of the open command. */
  let inArgument = false;
  let fenceInLiteral: FenceOpening | undefined;
  /** The tool that the last `Action:` line names. */
  let action: string | undefined;

  function end(ending: { readonly cutOff: boolean }): readonly string[] {
    const again = command?.finish(ending) ?? [];
    command = undefined;
    inArgument = false;
    return again;
  }

  function read(reading: CommandLine, closed: boolean): void {
    if (!closed) return;
    command = undefined;
    fenceInLiteral = undefined;
    inArgument = false;
    for (const line of reading.unread()) add(line);
  }

  function startCommand(text: string, head: CommandHead): void {
    command = openCommandLine(text, { head, neverClosed }, gate.give);
    read(command, command.read());
  }

  function addProse(text: string): void {
    if (command !== undefined) {
      read(command, command.add(text));
    } else if (!gate.settled()) {
      const at = commandMention(text);
      const answer = at === -1 ? answerInProse(text) : undefined;
      if (at !== -1) gate.hold('mention', notAtLineStart(text.slice(at)));
      if (answer !== undefined) gate.hold('answer', answerInSentence(text.trim(), answer));
    }
  }

  function add(text: string): void {
    if (command?.insideLiteral() === true) {
      addToLiteral(command, text);
      return;
    }
    const opening = openingOf(text);
    if (opening !== undefined) {
      openFence(opening);
      return;
    }
    const head = commandHeadAt(text, 0);
    if (head !== undefined) {
      end({ cutOff: false });
      startCommand(text, head);
      return;
    }
    const at = command === undefined ? foreignBehindText(text) : -1;
    if (at > 0) addProse(text.slice(0, at));
    const foreign = command === undefined ? foreignAt(at > 0 ? text.slice(at) : text) : undefined;
    if (foreign !== undefined) blocks.foreign(foreign);
    else if (at <= 0) addProse(text);
  }

  function foreignAt(text: string): ForeignBlock | undefined {
    const tool = action;
    if (text.trim() !== '') action = reactAction(text);
    return (tool === undefined ? undefined : openReactBlock(text, tool)) ?? openForeignBlock(text);
  }

  /**
   * A fence in a literal is text. When the text turns out not to be one literal, an open fence continues as a block.
   */
  function addToLiteral(reading: CommandLine, text: string): void {
    if (fenceInLiteral === undefined) fenceInLiteral = executedFence(text);
    else if (closesFence(text, fenceInLiteral)) fenceInLiteral = undefined;
    read(reading, reading.add(text));
    if (command === undefined || command.insideLiteral()) return;
    const fence = fenceInLiteral;
    fenceInLiteral = undefined;
    inArgument = fence !== undefined && command.isOpenAnswer();
    if (fence !== undefined && inArgument) blocks.fenced(fence);
  }

  function openFence(opening: FenceOpening): void {
    inArgument = isExecuted(opening) && command?.isOpenAnswer() === true;
    if (inArgument) command?.addVerbatim(opening.line);
    else end({ cutOff: false });
    blocks.fenced(opening);
  }

  function drop(): void {
    command = undefined;
    action = undefined;
    inArgument = false;
  }

  return {
    add,
    addToArgument: (text) => command?.addVerbatim(text),
    inArgument: () => inArgument,
    drop,
    finish: end,
  };
}

/** As {@link fenceOpening}; most lines have no fence at all, and are turned away here. */
export function openingOf(line: string): FenceOpening | undefined {
  return FENCE.test(line) ? fenceOpening(line) : undefined;
}

function isExecuted({ kind }: FenceOpening): boolean {
  return kind === 'cell' || kind === 'bash' || kind === 'untagged';
}

function executedFence(text: string): FenceOpening | undefined {
  const opening = openingOf(text);
  return opening !== undefined && isExecuted(opening) ? opening : undefined;
}

function notAtLineStart(read: string): ReturnType<typeof reject> {
  const problem = 'a command in the middle of a line is not run';
  const form = 'write it at the start of a line of its own';
  const end = read.lastIndexOf(')');
  const send = end === -1 ? {} : { send: read.slice(0, end + 1) };
  return reject('not-at-line-start', read, { problem, form, ...send });
}
