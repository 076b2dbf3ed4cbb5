import type { RecordedMessage } from '../journal/index.ts';
import { RECORDED_PROMPT_CHARS } from '../limits.ts';
import type { ChatMessage } from '../model/index.ts';
import type { GuestValue, SubCallReply, SubCallRequest } from '../repl/port.ts';
import type { SubCall } from '../trajectory.ts';
import { seedChars } from './seed-values.ts';

/** Characters of a prompt kept at each end in the trajectory. */
const KEPT_CHARS = 2_000;

/** A sub-call that has succeeded or failed. */
export interface EndedSubCall extends Pick<SubCall, 'id' | 'model' | 'durationMs'> {
  readonly request: SubCallRequest;
  readonly reply: SubCallReply;
  readonly child: SubCall['child'] | undefined;
}

/** A sub-call as the trajectory keeps it. */
export function subCallRecord({ id, request, model, reply, child, durationMs }: EndedSubCall): SubCall {
  return {
    id,
    kind: request.kind,
    model,
    prompt: bounded(promptText(request), 2 * KEPT_CHARS),
    reply: reply.text,
    ok: reply.ok,
    ...(reply.error !== undefined && { error: { code: reply.error.code, message: reply.error.message } }),
    usage: reply.usage,
    durationMs,
    ...(child !== undefined && { child }),
  };
}

/** Messages of a sub-call as the journal keeps them: of images the type and the sizes. */
export function recordedMessages(messages: readonly ChatMessage[]): readonly RecordedMessage[] {
  return messages.map(({ role, content, images = [] }) => ({
    role,
    content: images.map((image) => `[${image}]\n`).join('') + bounded(content, RECORDED_PROMPT_CHARS),
  }));
}

/** How much a sub-call asks its model to read: UTF-16 code units; of a child's context in a file its bytes. */
export function promptChars(request: SubCallRequest): number {
  if (request.kind === 'llm') return promptText(request).length;
  const context = request.context === undefined ? 0 : contextSize(request.context);
  return request.query.length + context + seedChars(request.seed);
}

function promptText(request: SubCallRequest): string {
  if (request.kind === 'rlm') return request.query;
  return typeof request.prompt === 'string'
    ? request.prompt
    : request.prompt.map((message) => message.content).join('\n');
}

function contextSize(value: GuestValue): number {
  if (value.kind === 'file') return value.bytes;
  return value.kind === 'text' ? value.text.length : value.json.length;
}

function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = most / 2;
  return `${text.slice(0, half)}\n[… ${text.length - most} characters …]\n${text.slice(-half)}`;
}
