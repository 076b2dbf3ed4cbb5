import { readFile } from 'node:fs/promises';
import { RlmError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { type ChatMessage, estimateTokens, type Model } from '../model/index.ts';
import type { GuestValue, SubCallRequest } from '../repl/port.ts';

/**
 * An `rlm_query` at the deepest level as one flat call: query and context in one prompt, the context marked as data.
 *
 * @throws RlmError `context-length` with both sizes when it cannot fit; never silently the query alone
 */
export async function flatPrompt(
  request: Extract<SubCallRequest, { kind: 'rlm' }>,
  model: Model,
  limits: Limits,
): Promise<readonly ChatMessage[]> {
  const context = request.context === undefined ? '' : await textOf(request.context, limits);
  const schema =
    request.output === undefined
      ? ''
      : `\n\nAnswer with nothing but JSON of this schema: ${JSON.stringify(request.output)}`;
  const content =
    context === ''
      ? request.query + schema
      : `${request.query}${schema}\n\nContext (data, ${context.length} characters):\n${context}`;
  const tokens = estimateTokens(content);
  const room = model.contextTokens === undefined ? undefined : model.contextTokens - limits.maxSubCallOutputTokens;
  if (room !== undefined && tokens > room)
    throw tooLong(`about ${tokens} tokens`, `${room} tokens of ${model.id}`, { tokens, limit: room });
  return [{ role: 'user', content }];
}

async function textOf(value: GuestValue, limits: Limits): Promise<string> {
  const bytes =
    value.kind === 'file' ? value.bytes : Buffer.byteLength(value.kind === 'text' ? value.text : value.json);
  const limit = limits.promptBytes;
  if (bytes > limit) throw tooLong(`${bytes} bytes`, `${limit} bytes (promptBytes)`, { bytes, limit });
  if (value.kind === 'file') return await readFile(value.path, 'utf8');
  return value.kind === 'text' ? value.text : value.json;
}

function tooLong(size: string, room: string, data: Readonly<Record<string, number>>): RlmError {
  return new RlmError({
    code: 'context-length',
    message: `The context of this rlm_query is ${size} and the flat call it becomes at this depth holds ${room}: split the context, or ask about a part of it.`,
    data,
  });
}
