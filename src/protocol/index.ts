/**
 * Parses replies: reply text in, commands out. Pure; nothing here runs anything.
 *
 * @example
 * ```ts
 * import { parseReply } from './protocol/index.ts';
 *
 * parseReply('I look first.\n```python\nprint(len(context))\n```\nRUN(ls)');
 * // { commands: [{ type: 'cell', code: 'print(len(context))' }, { type: 'bash', command: 'ls' }], rejected: [] }
 * ```
 *
 * The rules are those of docs/reply-protocol.md, with these decisions where streaming needs one. Both parsers use one
 * reader, line by line. It emits a command with the line that makes it certain, and never takes it back.
 *
 * - A bare `</think>` makes reasoning of everything before it until the first command, valid or not, has closed: a fenced
 *   block with its closing line, a command line with the line on which its argument ends. After that only the tag is cut.
 * - An untagged block and a command in the middle of a line wait for the end of the reply; the first other command, valid
 *   or not, settles that they do not count.
 * - A closing fence in a triple-quoted string waits until the string closes (then it was code) or the reply ends.
 * - An argument reaches over lines only up to the next fence or command line. There, or at the end, it is `unbalanced`.
 *
 * @module
 */
export type { BatchItem, Command, ParsedReply, Rejection } from './command.ts';
export { isOnlyCommands } from './only-commands.ts';
export { createReplyParser, parseReply, type ReplyParser } from './parse-reply.ts';
export { finalWith, proseAnswerOf } from './prose-answer.ts';
export { type SplitReply, splitReasoning, withoutReasoning } from './reasoning.ts';
export { blockToSend } from './rejection.ts';
export { isPlaceholder } from './scan.ts';
export { FIRST_LOOK, renderToolCalls } from './tool-call.ts';
