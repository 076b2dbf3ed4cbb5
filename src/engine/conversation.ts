import { characterBoundary } from '../code-points.ts';
import type { ModelImage } from '../model/image.ts';
import type { ChatMessage } from '../model/index.ts';
import {
  compactedTurns,
  type RemovedTurn,
  type TurnSummary,
  type TurnToSummarise,
  withImagesNote,
} from '../prompt/compacted-turns.ts';
import { MAX_SHOWN_IMAGES } from './shown-images.ts';

/** The history shows this for a reply without text: providers refuse an empty assistant message. */
const EMPTY_REPLY = '(empty reply)';

/** A turn of a conversation. */
export interface ConversationTurn extends RemovedTurn, TurnToSummarise {
  /** Images in the message after the turn. */
  readonly images?: readonly ModelImage[];
}

/** A turn that the model still reads. */
export interface ShownTurn {
  /** As it happened. */
  readonly turn: ConversationTurn;
  /** As the model reads it: its outputs may have been dropped. */
  readonly messages: readonly [ChatMessage, ChatMessage];
}

/** The parts of a conversation that compaction changes. */
export interface ConversationView {
  readonly shown: readonly ShownTurn[];
  /** Turns that left the window, oldest first. */
  readonly removed: readonly RemovedTurn[];
  readonly summaries: readonly TurnSummary[];
}

const NO_TURNS: ConversationView = { shown: [], removed: [], summaries: [] };

/**
 * The messages of a completion. Append-only between two compactions, so that providers' prefix caches hit: assistant
 * replies exactly as emitted, each followed by one user message.
 */
export class Conversation {
  readonly #system: ChatMessage;
  readonly #first: string;
  #note = '';
  #view = NO_TURNS;
  #messages: readonly ChatMessage[];

  constructor(system: string, first: string) {
    this.#system = { role: 'system', content: system };
    this.#first = first;
    this.#messages = this.messagesOf(NO_TURNS);
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  get view(): ConversationView {
    return this.#view;
  }

  /** Replaces the turns by what compaction left of them. */
  show(view: ConversationView): void {
    this.#view = view;
    this.#messages = this.messagesOf(view);
  }

  /** The messages with another view of the turns. */
  messagesOf({ shown, removed, summaries }: ConversationView): readonly ChatMessage[] {
    const compacted = compactedTurns(removed, summaries);
    const content = [this.#first, this.#note, compacted].filter((part) => part !== '').join('\n\n');
    return [this.#system, { role: 'user', content }, ...shown.flatMap(messagesShown)];
  }

  append({ images = [], ...turn }: ConversationTurn): void {
    const shown: ShownTurn = {
      turn: images.length === 0 ? turn : { ...turn, imageCount: images.length },
      messages: [
        { role: 'assistant', content: turn.reply === '' ? EMPTY_REPLY : turn.reply },
        { role: 'user', content: turn.feedback, ...(images.length > 0 && { images }) },
      ],
    };
    this.#view = { ...this.#view, shown: [...this.#view.shown, shown] };
    this.#messages = [...this.#messages, ...shown.messages];
    if (images.length > 0) this.#keepImages(MAX_SHOWN_IMAGES);
  }

  /** Takes all images out of it, and says so to the model. False where it has none. */
  dropImages(note: string): boolean {
    if (!this.#messages.some(({ images = [] }) => images.length > 0)) return false;
    this.#keepImages(0);
    // The note says why they are gone: not to save room.
    const shown = this.#view.shown.map((each): ShownTurn => ({ ...each, turn: { ...each.turn, imageCount: 0 } }));
    const last = shown.at(-1);
    if (last === undefined) return false;
    const [reply, { content }] = last.messages;
    const noted: ShownTurn = { ...last, messages: [reply, { role: 'user', content: `${content}\n\n${note}` }] };
    this.show({ ...this.#view, shown: [...shown.slice(0, -1), noted] });
    return true;
  }

  /** Keeps the newest images alone, so that a request has no more than an endpoint takes. */
  #keepImages(most: number): void {
    let left = most;
    const shown = this.#view.shown.toReversed().map((turn): ShownTurn => {
      const [reply, { role, content, images = [] }] = turn.messages;
      if (images.length === 0) return turn;
      const kept = images.slice(Math.max(0, images.length - left));
      left -= kept.length;
      const feedback = { role, content, ...(kept.length > 0 && left >= 0 && { images: kept }) };
      return { ...turn, messages: [reply, feedback] };
    });
    this.show({ ...this.#view, shown: shown.toReversed() });
  }

  /** Begins again from `text`, as `continue_with` asks: the system prompt and the first message stay, the turns go. */
  continueWith(text: string): void {
    this.#note = `You have worked on this before and left yourself this note:\n${text}`;
    this.show(NO_TURNS);
  }

  /** The messages with more said at the end of the newest user message. */
  withLast(text: string): readonly ChatMessage[] {
    return moreSaid(this.#messages, text);
  }

  /** The same with the newest turn cut down: its reply and its feedback to `chars` characters each. */
  withLastBrief(text: string, chars: number): readonly ChatMessage[] {
    const turn = this.#messages.slice(2).slice(-2);
    const brief = turn.map(({ role, content }) => ({ role, content: cutDown(content, chars) }));
    return moreSaid([...this.#messages.slice(0, this.#messages.length - turn.length), ...brief], text);
  }
}

/** The messages of a turn. A note replaces images that the model no longer sees. */
function messagesShown({ turn, messages: [reply, feedback] }: ShownTurn): readonly [ChatMessage, ChatMessage] {
  return [reply, { ...feedback, content: withImagesNote(feedback.content, turn, feedback.images?.length ?? 0) }];
}

function moreSaid(messages: readonly ChatMessage[], text: string): readonly ChatMessage[] {
  const last = messages.at(-1);
  const content = last === undefined ? text : `${last.content}\n\n${text}`;
  return [...messages.slice(0, -1), { ...last, role: 'user', content }];
}

/** Head and tail of a text. */
function cutDown(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const head = text.slice(0, characterBoundary(text, Math.ceil(chars / 2)));
  const tail = text.slice(characterBoundary(text, text.length - Math.floor(chars / 2)));
  return `${head}\n… [cut: the budget has no room for more] …\n${tail}`;
}
