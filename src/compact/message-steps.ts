import type { ModelMessage } from 'ai';
import { estimateTokens } from '../model/estimate-tokens.ts';
import { outputText } from '../tool-output.ts';
import { FILE_TOKENS } from './limits.ts';

/** Tokens that a chat template adds to a message. */
const TOKENS_PER_MESSAGE = 4;

/** Begins the message that replaces what left the conversation: a later compaction leaves it alone. */
export const COMPACTED_MARK = '[Earlier messages left this conversation to save room.';

/** Messages that belong together: an assistant message with the results of its tools, or one message of another role. */
export interface MessageStep {
  readonly messages: readonly ModelMessage[];
  /** It stays, however old it is: system messages, the first and the last question, notes of earlier compactions. */
  readonly pinned: boolean;
}

/** The steps of a conversation, in order. */
export function stepsOf(messages: readonly ModelMessage[]): readonly MessageStep[] {
  const users = messages.filter((message) => message.role === 'user' && !isNote(message));
  const questions = [users[0], users.at(-1)];
  const groups: ModelMessage[][] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (message.role === 'tool' && last?.[0]?.role === 'assistant') last.push(message);
    else groups.push([message]);
  }
  return groups.map((group) => ({
    messages: group,
    pinned: group.some((message) => message.role === 'system' || isNote(message) || questions.includes(message)),
  }));
}

/** The message is the note of an earlier compaction. */
export function isNote({ role, content }: ModelMessage): boolean {
  return role === 'user' && typeof content === 'string' && content.startsWith(COMPACTED_MARK);
}

/** The estimated tokens of messages. A file counts for a fixed number. */
export function estimateModelMessages(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { content }) => sum + TOKENS_PER_MESSAGE + tokensOf(content), 0);
}

function tokensOf(content: unknown): number {
  if (typeof content === 'string') return estimateTokens(content);
  let files = 0;
  const text = JSON.stringify(content, (key, value: unknown) => {
    if (isFileData(key, value)) {
      files += FILE_TOKENS;
      return '';
    }
    return value;
  });
  return files + estimateTokens(text ?? '');
}

/** The bytes of a file or an image, as bytes or in base64. A file that is inline text is text. */
function isFileData(key: string, value: unknown): boolean {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return true;
  return (key === 'data' || key === 'image') && typeof value === 'string' && value.length > FILE_TOKENS;
}

/** A message as text, for a summary and for the store of parts. */
export function textOfMessage({ role, content }: ModelMessage): string {
  if (typeof content === 'string') return `${role}: ${content}`;
  const parts = content.map((part) => {
    switch (part.type) {
      case 'text':
      case 'reasoning':
        return part.text;
      case 'tool-call':
        return `calls ${part.toolName} ${JSON.stringify(part.input)}`;
      case 'tool-result':
        return `${part.toolName} returns ${outputText(part.output)}`;
      default:
        return `(${part.type})`;
    }
  });
  return `${role}: ${parts.join('\n')}`;
}
