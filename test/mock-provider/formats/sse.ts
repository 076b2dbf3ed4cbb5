/** One server-sent event. */
export function sse(data: unknown, event?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}

/** The text in about `count` pieces, never empty. */
export function pieces(text: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / count));
  const result: string[] = [];
  for (let start = 0; start < text.length; start += size) result.push(text.slice(start, start + size));
  return result;
}

/** The text of a message's content in any of the formats. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('');
}

/** Splits off system messages and finds the last user message. */
export function readChat(chat: readonly { role: string; content: string }[]): {
  system: string;
  messages: { role: string; content: string }[];
  prompt: string;
} {
  const isSystem = (role: string): boolean => role === 'system' || role === 'developer';
  return {
    system: chat.flatMap(({ role, content }) => (isSystem(role) ? [content] : [])).join('\n'),
    messages: chat.filter(({ role }) => !isSystem(role)),
    prompt: chat.findLast(({ role }) => role === 'user')?.content ?? '',
  };
}
