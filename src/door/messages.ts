import { invalidOption } from '../argument-checks.ts';
import { characterBoundary } from '../code-points.ts';
import { type ContextInput, contexts } from '../context/index.ts';
import { RlmError } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import type { CompletionRequest } from '../run/run-handle.ts';
import { attachedFiles, type DoorFile, fileNames, type NamedFile } from './attachments.ts';
import { DOOR_EXCERPT_CHARS, DOOR_QUERY_CHARS } from './limits.ts';

/** A part of a message: a text, or a file with its content. */
export type DoorPart = { readonly type: 'text'; readonly text: string } | DoorFile;

/** A message as every door hands it over, whatever its wire form. */
export interface DoorMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly DoorPart[];
}

/** How messages become a query and a context. */
export interface MessageRule {
  /** Characters up to which the last user message is the query; a longer one is the context. Default 8 000. */
  readonly queryChars?: number;
}

/** The part of a completion's request that messages decide. */
export type AskedRequest = Pick<CompletionRequest, 'query' | 'context' | 'instructions'>;

/**
 * The one rule for messages: system messages are instructions; the last user message is the query, and where it is long the
 * context; earlier messages and files join the context. One piece of context is `context`; several have their own names.
 *
 * @throws RlmError `invalid-option` without a user message that has text, `context-invalid` for a file that is neither text nor an image
 */
export function requestFromMessages(messages: readonly DoorMessage[], rule: MessageRule = {}): AskedRequest {
  const queryChars = checkedQueryChars(rule.queryChars ?? DOOR_QUERY_CHARS);
  const named = withNames(messages);
  const last = named.findLast(({ role }) => role === 'user');
  const text = last === undefined ? '' : textOf(last);
  if (text.trim() === '') throw noQuestion();
  const files = attachedFiles(named.flatMap(({ parts }) => parts.filter((part) => part.type === 'file')));
  const conversation = named.filter((message) => message !== last && message.role !== 'system').map(asJson);
  const pieces: Record<string, Exclude<ContextInput, ReturnType<typeof contexts>>> = {
    ...(text.length > queryChars && { message: text }),
    ...(conversation.length > 0 && { conversation }),
    ...(files !== undefined && { files }),
  };
  const names = Object.keys(pieces);
  const [only] = Object.values(pieces);
  const instructions = named.filter(({ role }) => role === 'system').map(textOf);
  return {
    query: text.length > queryChars ? excerpt(text, { queryChars, alone: names.length === 1 }) : text,
    ...(only !== undefined && { context: names.length === 1 ? only : contexts(pieces) }),
    ...(instructions.length > 0 && { instructions: instructions.join('\n\n') }),
  };
}

function checkedQueryChars(queryChars: unknown): number {
  if (Number.isSafeInteger(queryChars) && (queryChars as number) > 0) return queryChars as number;
  throw new RlmError({
    code: 'invalid-limit',
    message: `The limit queryChars = ${String(queryChars)} is not valid: it must be a whole number above 0.`,
    userAction: true,
    data: { limit: 'queryChars' },
  });
}

function noQuestion(): RlmError {
  const { message } = invalidOption('The messages need a user message with a text: the last one is the question');
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { param: 'messages' } });
}

interface NamedMessage {
  readonly role: DoorMessage['role'];
  readonly parts: readonly (Exclude<DoorPart, DoorFile> | NamedFile)[];
}

/** The conversation and the list of documents name a file alike. */
function withNames(messages: readonly DoorMessage[]): readonly NamedMessage[] {
  const named = fileNames();
  return messages.map(({ role, parts }) => ({
    role,
    parts: parts.map((part) => (part.type === 'file' ? named(part) : part)),
  }));
}

function textOf({ parts }: NamedMessage): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n');
}

/** A message in the variable `conversation`; the content of its files is in `files`. */
function asJson({ role, parts }: NamedMessage): JsonValue {
  const content = parts.map((part) => (part.type === 'text' ? part.text : `[file: ${part.name}]`));
  return { role, content: content.join('\n\n') };
}

/** Beginning and end of a message that is too long for a query. */
function excerpt(
  text: string,
  { queryChars, alone }: { readonly queryChars: number; readonly alone: boolean },
): string {
  const chars = Math.min(DOOR_EXCERPT_CHARS, Math.ceil(queryChars / 2));
  const head = text.slice(0, characterBoundary(text, chars));
  const tail = text.slice(characterBoundary(text, text.length - chars));
  const left = text.length - head.length - tail.length;
  const where = alone ? '`context`' : '`context["message"]`';
  return `${head}\n\n[${left} characters are left out here. All ${text.length} characters of this message are in ${where}.]\n\n${tail}`;
}
