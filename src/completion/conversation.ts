import { characterBoundary } from '../code-points.ts';
import type { ChatMessage } from '../model/index.ts';

/** What stands in the history for a reply without text: providers refuse an empty assistant message. */
const EMPTY_REPLY = '(empty reply)';

/**
 * The messages of a completion. Append-only, so that providers' prefix caches hit: assistant replies exactly as
 * emitted, each followed by one user message.
 */
export class Conversation {
  readonly #messages: ChatMessage[];

  constructor(system: string, first: string) {
    this.#messages = [
      { role: 'system', content: system },
      { role: 'user', content: first },
    ];
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** A reply, and what the model is told of it. */
  append(reply: string, feedback: string): void {
    this.#messages.push(
      { role: 'assistant', content: reply === '' ? EMPTY_REPLY : reply },
      { role: 'user', content: feedback },
    );
  }

  /** Begins anew from `text`, as `continue_with` asks: the system prompt and the first message stay, the turns go. */
  continueWith(text: string): void {
    const [system, first] = this.#messages;
    if (system === undefined || first === undefined) return;
    const content = `${first.content}\n\nYou have worked on this before and left yourself this note:\n${text}`;
    this.#messages.splice(0, this.#messages.length, system, { role: 'user', content });
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

function moreSaid(messages: readonly ChatMessage[], text: string): readonly ChatMessage[] {
  const last = messages.at(-1);
  const content = last === undefined ? text : `${last.content}\n\n${text}`;
  return [...messages.slice(0, -1), { role: 'user', content }];
}

/** Head and tail of a text. */
function cutDown(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const head = text.slice(0, characterBoundary(text, Math.ceil(chars / 2)));
  const tail = text.slice(characterBoundary(text, text.length - Math.floor(chars / 2)));
  return `${head}\n… [cut: the budget has no room for more] …\n${tail}`;
}
