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
    const last = this.#messages.at(-1);
    const content = last === undefined ? text : `${last.content}\n\n${text}`;
    return [...this.#messages.slice(0, -1), { role: 'user', content }];
  }
}
