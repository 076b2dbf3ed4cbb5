import type { Command, HeldKind, Outcome, OutcomeGate, ParsedReply, Rejection } from './command.ts';
import { createReplyReader } from './reply-reader.ts';

/**
 * Parses a reply into its commands and its invalid commands, each in document order. Total (no text throws) and linear
 * in the length of the reply.
 *
 * @param reply the reply's text, without the provider's own reasoning parts
 * @param end how the reply ended; default: the model stopped by itself
 */
export function parseReply(reply: string, end: ReplyEnd = {}): ParsedReply {
  const parser = createReplyParser();
  const first = parser.push(reply);
  const rest = parser.end(end);
  return {
    commands: first.commands.length === 0 ? rest.commands : first.commands.concat(rest.commands),
    rejected: first.rejected.length === 0 ? rest.rejected : first.rejected.concat(rest.rejected),
  };
}

/** How a reply ended. */
export interface ReplyEnd {
  /** The provider's finish reason, as the AI SDK names it. Default `stop`; `length` means that the reply was cut off. */
  readonly finishReason?: string;
  /** A reply that is nothing but JSON in a fence is a final answer. Default false. */
  readonly jsonAnswer?: boolean;
}

/** Parses a reply while it arrives. */
export interface ReplyParser {
  /** Takes the next piece of the reply, of any size, and gives what became certain with it. */
  readonly push: (chunk: string) => ParsedReply;
  /** Ends the reply and gives the rest. After that, both functions give nothing. */
  readonly end: (end?: ReplyEnd) => ParsedReply;
}

/**
 * The streaming form of `parseReply`: for every way to cut a reply into chunks, what `push` and `end` give, put
 * together, is what `parseReply` gives. A command is given out with the line that makes it certain.
 */
export function createReplyParser(): ReplyParser {
  let commands: Command[] = [];
  let rejected: Rejection[] = [];
  const gate = createOutcomeGate((outcome) => {
    if (outcome.kind === 'command') commands.push(outcome.command);
    else rejected.push(outcome.rejection);
  });
  const reader = createReplyReader(gate);
  const toLineFeeds = createLineEnds();
  /** The start of a line whose end has not come. */
  let started = '';
  let ended = false;

  function take(): ParsedReply {
    const taken = { commands, rejected };
    commands = [];
    rejected = [];
    return taken;
  }

  function push(chunk: string): ParsedReply {
    if (ended) return take();
    const text = toLineFeeds(chunk);
    let from = 0;
    for (let end = text.indexOf('\n', 0); end !== -1; end = text.indexOf('\n', from)) {
      reader.line(started === '' ? text.slice(from, end) : started + text.slice(from, end));
      started = '';
      from = end + 1;
    }
    started += text.slice(from);
    return take();
  }

  function end({ finishReason = 'stop', jsonAnswer = false }: ReplyEnd = {}): ParsedReply {
    if (ended) return take();
    ended = true;
    // A reply that ends with a line end has no further, empty line.
    if (started !== '') reader.line(started);
    reader.end({ cutOff: finishReason === 'length', jsonAnswer });
    return take();
  }

  return { push, end };
}

/**
 * A function that reads line ends as LF, chunk by chunk: a CR ends its line at once, and an LF right after it, even in the
 * next chunk, belongs to it.
 */
export function createLineEnds(): (chunk: string) => string {
  let afterReturn = false;
  return (chunk) => {
    if (chunk === '') return '';
    const text = afterReturn && chunk[0] === '\n' ? chunk.slice(1) : chunk;
    afterReturn = chunk.endsWith('\r');
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  };
}

const PRIORITY: readonly HeldKind[] = ['untagged', 'reasoning', 'mention', 'answer'];

/** A gate in front of `emit`. */
function createOutcomeGate(emit: (outcome: Outcome) => void): OutcomeGate {
  let settled = false;
  let held = new Map<HeldKind, Outcome[]>();
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

  function hold(kind: HeldKind, outcome: Outcome): void {
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
