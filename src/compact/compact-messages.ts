import type { ModelMessage } from 'ai';
import { characterBoundary } from '../code-points.ts';
import { messageOf, RlmError } from '../errors.ts';
import { outputText, type ToolOutput } from '../tool-output.ts';
import {
  KEPT_STEPS,
  NEWEST_LEAST_OUTPUT_CHARS,
  NEWEST_OUTPUT_CHARS,
  SHORT_OUTPUT_CHARS,
  SUMMARY_TOKENS,
} from './limits.ts';
import {
  COMPACTED_MARK,
  estimateModelMessages,
  isNote,
  type MessageStep,
  stepsOf,
  textOfMessage,
} from './message-steps.ts';
import type { PartStore } from './parts.ts';
import { compactionSizes } from './sizes.ts';

/** Options of {@link compactMessages}. */
export interface CompactMessagesOptions {
  /** The conversation of the host's agent. It is not changed. */
  readonly messages: readonly ModelMessage[];
  /** Tokens that the agent's model takes. */
  readonly window: number;
  /** Tokens of the messages, as the provider counted them last. Default: an estimate. */
  readonly used?: number;
  /** Where dropped outputs and removed messages are kept, for a tool that reads them by handle. */
  readonly parts: PartStore;
  /**
   * Summarises old messages, given as one text: with `rlm.completion`, or any model. Default, and where it fails: old
   * messages are cut.
   */
  readonly summarise?: (transcript: string) => Promise<string>;
  /** The name of the agent's tool that reads a part, for the notes to the model. Default `read_part`. */
  readonly readTool?: string;
}

/** A step of a compaction, for the host to store with its conversation. */
export type MessageCompactionEvent =
  | {
      readonly type: 'context.compacted';
      readonly outputs: readonly string[];
      readonly messages: number;
      readonly part?: string;
    }
  | {
      readonly type: 'context.truncated';
      readonly outputs: readonly string[];
      readonly messages: number;
      readonly part?: string;
    }
  | { readonly type: 'context.compaction-failed'; readonly message: string };

/** The conversation after {@link compactMessages}. */
export interface CompactedMessages {
  /** The same array where nothing had to go. */
  readonly messages: readonly ModelMessage[];
  /** The losses, in order. Handles name parts of the store. */
  readonly events: readonly MessageCompactionEvent[];
  /** Tokens before and after; estimates, scaled by `used`. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

/**
 * Makes the conversation of a host's agent smaller when it nears the window of its model. In this order: outputs of old tool
 * calls are dropped, old messages are summarised, or cut; outputs of the newest steps are shortened. Everything that leaves is
 * kept in `parts`, and a table of contents with handles stays. System messages, the first and the last question and the newest
 * steps survive; nothing is compacted twice.
 *
 * @throws RlmError `invalid-option`; errors of `parts`
 */
export async function compactMessages(options: CompactMessagesOptions): Promise<CompactedMessages> {
  const { messages, window } = options;
  if (!(window > 0)) {
    throw new RlmError({
      code: 'invalid-option',
      message: `The option window has to be a number of tokens above 0, not ${String(window)}.`,
      userAction: true,
    });
  }
  const estimated = Math.max(1, estimateModelMessages(messages));
  const scale = Math.max(1, (options.used ?? estimated) / estimated);
  const tokensOf = (steps: readonly MessageStep[]): number =>
    Math.ceil(scale * estimateModelMessages(steps.flatMap((step) => step.messages)));
  const { trigger, target } = compactionSizes(window);
  const before = stepsOf(messages);
  const tokensBefore = tokensOf(before);
  if (tokensBefore <= trigger) return { messages, events: [], tokensBefore, tokensAfter: tokensBefore };
  const work = new Compaction(options, before, tokensOf);
  await work.dropOutputs(target);
  await work.removeSteps(target);
  await work.foldNotes(target);
  await work.shortenOutputs(trigger);
  const steps = work.steps;
  return {
    messages: steps.flatMap((step) => step.messages),
    events: work.events,
    tokensBefore,
    tokensAfter: tokensOf(steps),
  };
}

/** A compaction under way. */
class Compaction {
  readonly events: MessageCompactionEvent[] = [];
  steps: readonly MessageStep[];
  readonly #options: CompactMessagesOptions;
  readonly #tokensOf: (steps: readonly MessageStep[]) => number;

  constructor(
    options: CompactMessagesOptions,
    steps: readonly MessageStep[],
    tokensOf: (steps: readonly MessageStep[]) => number,
  ) {
    this.#options = options;
    this.steps = steps;
    this.#tokensOf = tokensOf;
  }

  /** Steps that may go: all but the pinned and the newest. */
  get #old(): readonly MessageStep[] {
    return this.steps.slice(0, -KEPT_STEPS).filter(({ pinned }) => !pinned);
  }

  async dropOutputs(target: number): Promise<void> {
    const outputs: string[] = [];
    for (const step of this.#old) {
      if (this.#tokensOf(this.steps) <= target) break;
      const smaller = await this.#withOutputs(step, (text, handle) => {
        outputs.push(handle);
        return `(output of ${text.length} characters dropped to save room: ${this.#reading(handle)} returns it)`;
      });
      this.steps = this.steps.map((other) => (other === step ? smaller : other));
    }
    if (outputs.length > 0) this.events.push({ type: 'context.compacted', outputs, messages: 0 });
  }

  async removeSteps(target: number): Promise<void> {
    if (this.#tokensOf(this.steps) <= target) return;
    const gone: MessageStep[] = [];
    const left = (): readonly MessageStep[] => this.steps.filter((step) => !gone.includes(step));
    for (const step of this.#old) {
      if (this.#tokensOf(left()) + SUMMARY_TOKENS <= target) break;
      gone.push(step);
    }
    if (gone.length === 0) return;
    const removed = gone.flatMap(({ messages }) => messages);
    const transcript = removed.map(textOfMessage).join('\n\n');
    const part = await this.#options.parts.put(transcript);
    const summary = await this.#summarise(transcript);
    const note = noteOf({ removed: removed.length, contents: contentsOf(removed), part: this.#reading(part), summary });
    const at = this.steps.indexOf(gone[0] as MessageStep);
    const head = this.steps.slice(0, at);
    const tail = this.steps.slice(at).filter((step) => !gone.includes(step));
    this.steps = [...head, { messages: [{ role: 'user', content: note }], pinned: true }, ...tail];
    const type = summary === undefined ? 'context.truncated' : 'context.compacted';
    this.events.push({ type, outputs: [], messages: removed.length, part });
  }

  /** Folds earlier notes into one line, where they take half of the room. */
  async foldNotes(target: number): Promise<void> {
    const notes = this.steps.filter(({ messages: [first] }) => first !== undefined && isNote(first)).slice(0, -1);
    if (notes.length === 0 || this.#tokensOf(notes) <= target / 2) return;
    const part = await this.#options.parts.put(
      notes.flatMap(({ messages }) => messages.map(textOfMessage)).join('\n\n'),
    );
    const content = `${COMPACTED_MARK} ${this.#reading(part)} returns ${notes.length} earlier notes about them.]`;
    const folded: MessageStep = { messages: [{ role: 'user', content }], pinned: true };
    this.steps = this.steps.flatMap((step) => (step === notes[0] ? [folded] : notes.includes(step) ? [] : [step]));
    this.events.push({ type: 'context.truncated', outputs: [], messages: notes.length, part });
  }

  async shortenOutputs(trigger: number): Promise<void> {
    if (this.#tokensOf(this.steps) <= trigger) return;
    const outputs = new Set<string>();
    const whole = this.steps;
    for (let chars = NEWEST_OUTPUT_CHARS; ; chars /= 2) {
      const replace = (text: string, handle: string): string => {
        outputs.add(handle);
        return `${text.slice(0, characterBoundary(text, chars))}\n(shortened to save room, from ${text.length} characters: ${this.#reading(handle)} returns all of it)`;
      };
      this.steps = await Promise.all(whole.map((step) => this.#withOutputs(step, replace, chars)));
      if (chars <= NEWEST_LEAST_OUTPUT_CHARS || this.#tokensOf(this.steps) <= trigger) break;
    }
    if (outputs.size > 0) this.events.push({ type: 'context.truncated', outputs: [...outputs], messages: 0 });
  }

  /** The step with its long outputs replaced; each is stored before. */
  async #withOutputs(
    step: MessageStep,
    replace: (text: string, handle: string) => string,
    above = SHORT_OUTPUT_CHARS,
  ): Promise<MessageStep> {
    const messages = await Promise.all(step.messages.map((message) => this.#withOutput(message, replace, above)));
    return messages.every((message, index) => message === step.messages[index]) ? step : { ...step, messages };
  }

  async #withOutput(
    message: ModelMessage,
    replace: (text: string, handle: string) => string,
    above: number,
  ): Promise<ModelMessage> {
    if (message.role !== 'tool') return message;
    let changed = false;
    const content = [];
    for (const part of message.content) {
      const text = part.type === 'tool-result' ? outputText(part.output) : '';
      if (part.type !== 'tool-result' || text.length <= above || !isText(part.output)) {
        content.push(part);
        continue;
      }
      changed = true;
      const handle = (await this.#shortenedBefore(text)) ?? (await this.#options.parts.put(text));
      content.push({ ...part, output: { type: 'text' as const, value: replace(text, handle) } });
    }
    return changed ? { ...message, content } : message;
  }

  /** The handle of an output that an earlier compaction shortened. A tool may print such a line itself: the store decides. */
  async #shortenedBefore(text: string): Promise<string | undefined> {
    const handle = /\(shortened to save room, [^\n]*(part_[0-9a-f]{24})[^\n]*$/.exec(text)?.[1];
    if (handle === undefined) return undefined;
    const whole = await this.#options.parts.get(handle);
    return whole?.startsWith(text.slice(0, text.lastIndexOf('\n'))) === true ? handle : undefined;
  }

  async #summarise(transcript: string): Promise<string | undefined> {
    const { summarise } = this.#options;
    if (summarise === undefined) return undefined;
    try {
      const summary = (await summarise(transcript)).trim();
      if (summary !== '') return summary;
      this.events.push({ type: 'context.compaction-failed', message: 'The summary is empty.' });
    } catch (error) {
      this.events.push({ type: 'context.compaction-failed', message: messageOf(error) });
    }
    return undefined;
  }

  #reading(handle: string): string {
    return `${this.#options.readTool ?? 'read_part'}("${handle}")`;
  }
}

/** Files are not text: they cannot be read by page. */
function isText(output: ToolOutput): boolean {
  return output.type !== 'content' || output.value.every(({ type }) => type === 'text');
}

/** Messages that the table of contents lists; older ones share a line. */
const MOST_LINES = 40;
/** Characters of a line. */
const LINE_CHARS = 120;

function contentsOf(messages: readonly ModelMessage[]): readonly string[] {
  const lines = messages.map((message) => {
    const text = textOfMessage(message).replaceAll(/\s+/g, ' ');
    // A handle in the line stays whole.
    const handles = [...text.matchAll(/part_[0-9a-f]{24}/g)].map(([handle]) => handle);
    const head = text.length <= LINE_CHARS ? text : `${text.slice(0, characterBoundary(text, LINE_CHARS))}…`;
    const missing = handles.filter((handle) => !head.includes(handle));
    return `- ${head}${missing.length === 0 ? '' : ` (${missing.join(', ')})`}`;
  });
  const older = lines.length - MOST_LINES;
  return older <= 0 ? lines : [`- ${older} older messages`, ...lines.slice(older)];
}

function noteOf(of: {
  readonly removed: number;
  readonly contents: readonly string[];
  readonly part: string;
  readonly summary: string | undefined;
}): string {
  const { removed, contents, part, summary } = of;
  return [
    `${COMPACTED_MARK} ${removed} of them are listed below; ${part} returns them in full.]`,
    ...contents,
    ...(summary === undefined ? [] : [`Summary:\n${summary}`]),
  ].join('\n');
}
