import type { ParsedReply } from './command.ts';
import { createReplyParser, type ReplyEnd } from './reply-parser.ts';

/**
 * What a reply asks for: its commands and its invalid commands, each in document order. Total (no text throws) and linear in
 * the length of the reply.
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
