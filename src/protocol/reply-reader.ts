import type { Outcome, OutcomeGate } from './command.ts';
import { commandHeadAt } from './command-syntax.ts';
import { closesFence, type FenceOpening } from './fence.ts';
import { type FencedBlock, openFencedBlock } from './fenced-block.ts';
import type { ForeignBlock } from './foreign-block.ts';
import { answerInSentence } from './prose-answer.ts';
import { BARE_OPENING, createReasoningFilter, FIRST_OF_MARKER, type ReasoningFilter } from './reasoning.ts';
import type { Quote } from './scan.ts';
import { bareCode, interpretToolCall, readToolCalls } from './tool-call.ts';
import { beginsTranscript, inventedOutput } from './transcript.ts';
import { REPEATED_LINES, unclosedReasoning } from './unclosed-reasoning.ts';
import { createVisibleLines, openingOf } from './visible-lines.ts';

/** How a reply ended, for its reader. */
export interface Ending {
  readonly cutOff: boolean;
  /** A reply that is nothing but JSON in a fence is the answer: the run wants a typed one. */
  readonly jsonAnswer: boolean;
}

/** Reads a reply line by line. */
export interface ReplyReader {
  /** Takes the next line, without its line end. */
  readonly line: (raw: string) => void;
  /** The last line has been taken. */
  readonly end: (ending: Ending) => void;
}

/**
 * The one reader behind both parsers: each line belongs to reasoning, a block, a command line, or is prose.
 *
 * Everything up to the first command that closes, valid or not, can still turn out to be reasoning, by a closing mark
 * without an opening one. Later such a mark has no force, since what was given out cannot be taken back.
 *
 * @param gate takes what the lines ask for
 */
export function createReplyReader(gate: OutcomeGate): ReplyReader {
  return new Reader(gate);
}

class Reader implements ReplyReader {
  readonly #gate: OutcomeGate;
  readonly #neverClosed = new Set<Quote>();
  readonly #lines: ReturnType<typeof createVisibleLines>;
  /** Opened with the first line that may have a mark of reasoning. */
  #reasoning: ReasoningFilter | undefined;
  #block: FencedBlock | undefined;
  #foreign: ForeignBlock | undefined;
  /** The last line closed a block that runs: its output is not there yet. */
  #behindBlock = false;
  /** A fence that closed on a line of code: a closing line of its own behind it means nothing. */
  #closedLoosely: FenceOpening | undefined;
  #invented = false;
  /** A line that is not blank has been read. */
  #begun = false;
  /** Lines of reasoning from its first command on: they are shown back if it never closes. */
  #inReasoning: string[] = [];
  readonly #sole = new SoleContent();

  constructor(gate: OutcomeGate) {
    this.#gate = gate;
    const open = {
      fenced: (opening: FenceOpening) => this.#openFence(opening),
      foreign: (block: ForeignBlock) => this.#openForeign(block),
    };
    this.#lines = createVisibleLines(this.#gate, open, this.#neverClosed);
  }

  /** Everything so far was reasoning, unless a command in it has been given out. */
  #dropAll(): boolean {
    if (this.#gate.settled()) return false;
    this.#lines.drop();
    this.#gate.drop();
    this.#sole.reset();
    return true;
  }

  line(raw: string): void {
    if (this.#invented) return;
    if (this.#block !== undefined) this.#addToBlock(this.#block, raw);
    else if (this.#foreign !== undefined) this.#addToForeign(this.#foreign, raw);
    else if (this.#reasoning === undefined && !FIRST_OF_MARKER.test(raw) && !this.#beginsBare(raw)) this.#visible(raw);
    else {
      const bare = this.#beginsBare(raw);
      this.#reasoning ??= createReasoningFilter(() => this.#dropAll());
      if (bare) this.#reasoning.openBare();
      this.#begun ||= raw.trim() !== '';
      const visible = this.#reasoning.line(raw);
      if (visible !== undefined) this.#visible(visible);
      else this.#addToReasoning(raw);
    }
  }

  /** The first line of the reply opens reasoning without marks. */
  #beginsBare(raw: string): boolean {
    return !this.#begun && BARE_OPENING.test(raw);
  }

  #addToReasoning(raw: string): void {
    const begins = openingOf(raw) !== undefined || commandHeadAt(raw, 0) !== undefined;
    if (!begins && this.#inReasoning.length === 0) return;
    if (this.#inReasoning.length < REPEATED_LINES) this.#inReasoning.push(raw);
  }

  end(ending: Ending): void {
    this.#readAgain();
    const rest = this.#reasoning?.rest();
    if (rest !== undefined && !this.#invented) {
      if (this.#inReasoning.length > 0) this.#gate.hold('reasoning', unclosedReasoning(this.#inReasoning));
      this.#visible(rest);
    }
    // A quote that never closes was a character: the lines it took are read for what they are.
    for (let again = this.#lines.finish(ending); again.length > 0; again = this.#lines.finish(ending)) {
      for (const raw of again) this.line(raw);
      this.#readAgain();
    }
    if (this.#block !== undefined) this.#closeFence(this.#block, this.#block.unclosedOutcome(ending));
    for (const outcome of this.#foreign?.unclosedOutcomes(ending) ?? []) this.#gate.give(outcome);
    if (!this.#gate.settled()) this.#takeSole(ending);
    this.#gate.finish();
  }

  /** Cuts a block whose closing line lay in a string that never closed, and reads the lines behind it. */
  #readAgain(): void {
    for (let again = this.#block?.giveBack(); again !== undefined; again = this.#block?.giveBack()) {
      if (this.#block !== undefined) this.#closeFence(this.#block, this.#block.outcome());
      for (const raw of again) this.line(raw);
    }
  }

  #visible(text: string): void {
    this.#begun ||= text.trim() !== '';
    const closed = this.#closedLoosely;
    this.#closedLoosely = undefined;
    if (closed !== undefined && closesFence(text, closed)) return;
    if (text.trim() !== '') {
      if (this.#behindBlock && beginsTranscript(text)) {
        this.#invent(text);
        return;
      }
      // The opening of a block decides by its tag.
      if (openingOf(text) === undefined) {
        this.#behindBlock = false;
        this.#sole.prose(text);
      }
    }
    this.#lines.add(text);
  }

  #invent(text: string): void {
    this.#invented = true;
    this.#gate.give(inventedOutput(text.trim()));
  }

  #openFence(opening: FenceOpening): void {
    if (this.#behindBlock && opening.kind === 'output') {
      this.#invent(opening.line);
      return;
    }
    this.#behindBlock = false;
    this.#sole.fence(opening.line);
    const block = openFencedBlock(opening, this.#neverClosed);
    if (opening.inline === undefined) {
      this.#block = block;
      return;
    }
    block.add(opening.inline);
    this.#closeFence(block, block.outcome());
  }

  #addToBlock(block: FencedBlock, raw: string): void {
    if (this.#lines.inArgument()) this.#lines.addToArgument(raw);
    if (block.add(raw)) this.#closeFence(block, block.outcome());
  }

  #closeFence(block: FencedBlock, outcome: Outcome | undefined): void {
    this.#block = undefined;
    const { kind } = block.opening;
    const loose = block.loose();
    if (loose !== undefined && loose.code !== '') this.#closedLoosely = block.opening;
    if (this.#lines.inArgument()) {
      // It lies in an answer that is not closed yet: it is quoted there, and must not run.
    } else if (kind === 'data') this.#closeData(block);
    else if (outcome !== undefined) {
      if (kind === 'untagged') this.#gate.hold('untagged', calledIn(block.content()) ?? outcome);
      else this.#gate.give(outcome);
      this.#behindBlock = kind === 'cell' || kind === 'bash';
    }
    if (kind === 'untagged') this.#sole.block(block.content());
    if (loose !== undefined && loose.after.trim() !== '') this.line(loose.after);
  }

  /** A tool call in a fence runs where it plainly means code; all other data may be a typed answer. */
  #closeData(block: FencedBlock): void {
    const content = block.content();
    const isCall = !/^\W*json/i.test(block.opening.line.replace(/^[\s`~]+/, ''));
    const outcomes = (readToolCalls(content) ?? []).map(interpretToolCall);
    if (outcomes.length > 0 && (isCall || outcomes.every(({ kind }) => kind === 'command'))) {
      for (const outcome of outcomes) this.#gate.give(outcome);
      this.#behindBlock = true;
    } else this.#sole.block(content);
  }

  #openForeign(block: ForeignBlock): void {
    this.#behindBlock = false;
    this.#foreign = block;
    if (block.closed()) this.#closeForeign(block);
  }

  #addToForeign(block: ForeignBlock, raw: string): void {
    block.add(raw);
    if (block.closed()) this.#closeForeign(block);
  }

  #closeForeign(block: ForeignBlock): void {
    this.#foreign = undefined;
    for (const outcome of block.outcomes()) this.#gate.give(outcome);
    this.#behindBlock = true;
    const tail = block.tail();
    if (tail.trim() !== '') this.line(tail);
  }

  /** A reply that is nothing but JSON: a tool call, or a typed answer. */
  #takeSole({ jsonAnswer }: Ending): void {
    const text = this.#sole.text();
    if (text === undefined) return;
    const outcomes = this.#sole.fenced ? [] : (readToolCalls(text) ?? []).map(interpretToolCall);
    // A typed answer may have a field of that name.
    const code = jsonAnswer ? undefined : bareCode(text);
    if (code !== undefined) this.#gate.give({ kind: 'command', command: { type: 'cell', code } });
    else if (outcomes.length > 0) for (const outcome of outcomes) this.#gate.give(outcome);
    else if (!jsonAnswer || !isJson(text)) return;
    else if (this.#sole.fenced) {
      this.#gate.give({ kind: 'command', command: { type: 'final', form: 'text', value: text.trim() } });
    } else this.#gate.hold('answer', answerInSentence(text, text.trim()));
  }
}

/** Longest JSON text that is looked at as a whole. */
const SOLE_CHARS = 1_000_000;

/** Remembers a reply that is one JSON text and nothing else: in one fence, or without one. */
class SoleContent {
  /** The JSON text is the content of a fence. */
  fenced = false;
  #prose: string[] = [];
  #content: string | undefined;
  #chars = 0;
  #other = false;

  reset(): void {
    this.fenced = false;
    this.#prose = [];
    this.#content = undefined;
    this.#chars = 0;
    this.#other = false;
  }

  prose(text: string): void {
    if (this.fenced || (this.#prose.length === 0 && !/^\s*[[{]/.test(text))) this.#other = true;
    this.#chars += text.length;
    if (!this.#other && this.#chars < SOLE_CHARS) this.#prose.push(text);
  }

  /** A fence opens. */
  fence(line: string): void {
    if (this.fenced || this.#prose.length > 0 || !/^\s*[`~]/.test(line)) this.#other = true;
    this.fenced = true;
  }

  /** A block of data, or without a tag, has closed. */
  block(content: string): void {
    this.#content = content;
  }

  /** The JSON text; undefined for every other reply. */
  text(): string | undefined {
    if (this.#other || this.#chars >= SOLE_CHARS) return undefined;
    if (this.fenced) return this.#content;
    return this.#prose.length === 0 ? undefined : this.#prose.join('\n');
  }
}

/** The command of an untagged block that is one tool call, as LangChain's agents write it. */
function calledIn(content: string): Outcome | undefined {
  const calls = readToolCalls(content);
  return calls?.length === 1 ? calls.map(interpretToolCall)[0] : undefined;
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
