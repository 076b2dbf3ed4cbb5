import { readFile } from 'node:fs/promises';
import type { Run } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import type { Step } from '../journal/index.ts';
import type { Limits } from '../limits.ts';
import { ModelImage } from '../model/image.ts';
import { mayTakeImages } from '../model/image-rules.ts';
import { type ChatMessage, estimateTokens, type Model, ModelError, type ModelReply } from '../model/index.ts';
import { type SplitReply, splitReasoning } from '../protocol/index.ts';
import type { GuestValue, SubCallReply, SubCallRequest } from '../repl/port.ts';
import { type AnswerType, answerType } from '../schema/answer-type.ts';
import { digitKeepingSchema } from '../schema/json-schema-answer.ts';
import { callModel } from './call-model.ts';
import { openSlot } from './reply.ts';

/** A sub-call that one model call answers, as its request. */
export interface FlatCall {
  readonly request: SubCallRequest;
  readonly model: Model;
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
}

/**
 * Builds the request of a sub-call.
 *
 * @throws RlmError `bad-request`, `context-length`
 */
export async function flatCall(request: SubCallRequest, model: Model, limits: Limits): Promise<FlatCall> {
  const messages = request.kind === 'llm' ? messagesOf(request, model) : await flatPrompt(request, model, limits);
  const most = limits.maxSubCallOutputTokens;
  const maxOutputTokens = Math.max(1, Math.min(request.kind === 'llm' ? (request.maxTokens ?? most) : most, most));
  return { request, model, messages, maxOutputTokens };
}

/** Sends the request, within the run's sub-calls and budget. @throws ModelError, BudgetError */
export async function sendFlatCall(
  { request, model, messages, maxOutputTokens }: FlatCall,
  { run, step, signal }: { readonly run: Run; readonly step: Step; readonly signal: AbortSignal },
): Promise<SubCallReply> {
  const depth = run.depth + 1;
  const type =
    request.kind === 'rlm' && request.output !== undefined
      ? answerType(digitKeepingSchema(request.output, 'output schema'))
      : undefined;
  const slot = openSlot(step, run.ledger);
  try {
    const account = step.account(run.ledger.account({ kind: 'sub', depth, ticket: slot }));
    const call = { model, messages, maxOutputTokens, depth, signal, account, purpose: 'sub' } as const;
    const reply = await callModel(call, run).catch((error: unknown) => {
      // A request of that form without images would have been taken.
      const refused = error instanceof ModelError && error.fault === 'bad-request' && hasImages(messages);
      throw refused ? takesNoImages(model, error.message.replace(/[.\s]+$/, '')) : error;
    });
    const { inputTokens, outputTokens } = reply.usage;
    const usage = { inputTokens, outputTokens, costUsd: reply.costUsd };
    const { text, reasoning } = withoutThoughts(reply);
    const thought = reasoning === undefined ? {} : { reasoning };
    const truncated = reply.finishReason === 'length';
    const error = text.trim() === '' ? noAnswer(model.id, reply) : undefined;
    if (error !== undefined) return { ok: false, text: '', ...thought, truncated, usage, error };
    const said = { ok: true, text, ...thought, truncated, usage };
    return type === undefined ? said : await typedReply(said, type);
  } finally {
    slot.close();
  }
}

/** Most characters of reasoning in a cell's reply: cells look at it, and do not compute with it. */
const REASONING_CHARS = 20_000;

/** Splits leading reasoning from a reply's text, and joins it to the provider's reasoning fields. */
function withoutThoughts(reply: ModelReply): SplitReply {
  const { text, reasoning } = splitReasoning(reply.text);
  const all = [reply.reasoning, reasoning].filter((part) => part !== undefined && part !== '').join('\n');
  return { text, reasoning: all === '' ? undefined : all.slice(-REASONING_CHARS).toWellFormed() };
}

function hasImages(messages: readonly ChatMessage[]): boolean {
  return messages.some(({ images = [] }) => images.length > 0);
}

/** The error of a reply without text. */
function noAnswer(modelId: string, { toolCalls = [], finishReason }: ModelReply): SubCallReply['error'] {
  const [call] = toolCalls;
  const why =
    call !== undefined
      ? `called the tool "${call.name.slice(0, 80)}", and there are no tools: ask for text in the prompt`
      : finishReason === 'length'
        ? 'sent only reasoning up to its output limit and no answer (.reasoning has it): raise max_tokens or ask for less'
        : 'sent only reasoning and no answer (.reasoning has it)';
  return { code: 'model-failure', message: `${modelId} ${why}.` };
}

function takesNoImages({ id }: Pick<Model, 'id'>, why: string): RlmError {
  return new RlmError({
    code: 'bad-request',
    message: `${id} takes no images: ${why}. Describe them in the prompt, or name a model that reads images in model=.`,
    data: { model: id },
  });
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant']);

function messagesOf(request: Extract<SubCallRequest, { kind: 'llm' }>, model: Model): readonly ChatMessage[] {
  const system: ChatMessage[] = request.system === undefined ? [] : [{ role: 'system', content: request.system }];
  const images = (request.images ?? []).map((data) => new ModelImage(data));
  if (images.length > 0 && !mayTakeImages(model)) throw takesNoImages(model, 'it reads text alone');
  if (typeof request.prompt === 'string')
    return [...system, { role: 'user', content: request.prompt, ...(images.length > 0 && { images }) }];
  if (images.length > 0) {
    const message = 'Images go with a prompt that is a text, not with a list of messages.';
    throw new RlmError({ code: 'bad-request', message, data: { images: images.length } });
  }
  const chat = request.prompt.map(({ role, content }) => {
    if (ROLES.has(role)) return { role: role as ChatMessage['role'], content };
    throw new RlmError({
      code: 'bad-request',
      message: `A message has the role "${role}": use system, user or assistant.`,
      data: { role },
    });
  });
  return [...system, ...chat];
}

/**
 * An `rlm_query` at the deepest level as one flat call: query and context in one prompt, the context marked as data.
 *
 * @throws RlmError `context-length` with both sizes when it cannot fit; never silently the query alone
 */
async function flatPrompt(
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

/** A flat call's reply as its typed answer. A reply that does not fit is not ok, and keeps its text. */
async function typedReply(reply: SubCallReply, type: AnswerType): Promise<SubCallReply> {
  const asSaid = await type.checkText(reply.text);
  if (asSaid.ok) return { ...reply, valueJson: JSON.stringify(asSaid.value) };
  const inner = fenced(reply.text);
  const inFence = inner === undefined ? asSaid : await type.checkText(inner);
  if (inner !== undefined && inFence.ok) return { ...reply, text: inner, valueJson: JSON.stringify(inFence.value) };
  const errors = inFence.ok ? [] : inFence.errors;
  const message = `the answer does not fit the schema: ${errors.join('; ')}`;
  return { ...reply, ok: false, error: { code: 'answer-invalid', message } };
}

/** The first fenced block of a reply: models often put JSON into one. */
function fenced(text: string): string | undefined {
  const opening = /^```(?:json)?[ \t]*\r?\n/m.exec(text);
  if (opening === null) return undefined;
  const start = opening.index + opening[0].length;
  const end = text.indexOf('\n```', start);
  return end < 0 ? undefined : text.slice(start, end);
}
