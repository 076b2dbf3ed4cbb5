import type {
  LanguageModelV2StreamPart,
  LanguageModelV3StreamPart,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider';
import type { ModelImage } from './image.ts';
import type { ChatMessage, LanguageModel, ModelRequest, ToolCall } from './port.ts';
import type { ReportedUsage } from './usage.ts';

type StreamPart = LanguageModelV2StreamPart | LanguageModelV3StreamPart | LanguageModelV4StreamPart;

/** Why a stream says it ended. `missing`: no reason was sent, which no whole reply does. */
export interface FinishReport {
  readonly reason: 'stop' | 'length' | 'other' | 'refused' | 'missing' | 'error';
  readonly raw: string | undefined;
  readonly usage: ReportedUsage | undefined;
}

/** The parts of a stream that matter for a text reply, in one shape for all versions of the AI SDK. */
export type ReplyPart =
  | { readonly kind: 'text' | 'reasoning'; readonly delta: string }
  | { readonly kind: 'tool-call'; readonly call: ToolCall }
  | { readonly kind: 'choice-error'; readonly error: unknown }
  | { readonly kind: 'finish'; readonly finish: FinishReport }
  | { readonly kind: 'error'; readonly error: unknown };

/** Sends the request. Prompts have the same shape in versions 2 to 4, but for the data of images. */
export async function openStream(
  model: LanguageModel,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ReadableStream<unknown>> {
  const options: LanguageModelV4CallOptions = {
    prompt: toPrompt(request.messages, model),
    maxOutputTokens: request.maxOutputTokens,
    abortSignal: signal,
    // OpenRouter and others report a failed upstream beside the finish reason, where the SDK does not pass it on.
    includeRawChunks: true,
  };
  const { temperature, reasoningEffort } = request.settings ?? {};
  if (temperature !== undefined) options.temperature = temperature;
  if (reasoningEffort !== undefined) options.reasoning = reasoningEffort;
  // OpenAI keeps answers of its Responses API for thirty days unless a request says otherwise; we never ask for them
  // again.
  if (model.provider === 'openai.responses') options.providerOptions = { openai: { store: false } };
  const { stream } = await (model as LanguageModelV4).doStream(options);
  return stream;
}

/** A marker for Anthropic's prompt cache: everything up to here is read from it next time. */
const CACHE_HERE = { anthropic: { cacheControl: { type: 'ephemeral' } } } as const;

function toPrompt(
  messages: readonly ChatMessage[],
  { provider, specificationVersion }: Pick<LanguageModel, 'provider' | 'specificationVersion'>,
): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  const filePart = filePartFor(specificationVersion);
  for (const { role, content, images = [] } of messages) {
    // Half a character is not valid Unicode: providers refuse it.
    const text = content.toWellFormed();
    if (role === 'system') prompt.push({ role, content: text });
    else if (role === 'assistant') prompt.push({ role, content: [{ type: 'text', text }] });
    // Providers advise to put images before the text.
    else prompt.push({ role, content: [...images.map(filePart), { type: 'text', text }] });
  }
  // Histories grow by appending, so their prefix is worth caching; a single question is not: writing costs extra.
  const last = prompt.at(-1);
  if (last !== undefined && provider.startsWith('anthropic') && messages.some(({ role }) => role === 'assistant')) {
    last.providerOptions = CACHE_HERE;
  }
  return prompt;
}

/** An image as the specification version of a model takes it: since version 4 its data are tagged. */
function filePartFor(version: LanguageModel['specificationVersion']): (image: ModelImage) => LanguageModelV4FilePart {
  return ({ data, reference: { mediaType } }) => {
    const part = { type: 'file', mediaType, data: version === 'v4' ? { type: 'data', data } : data };
    return part as LanguageModelV4FilePart;
  };
}

/** One part of any version's stream; undefined for those that say nothing about the reply. */
export function readPart(value: unknown): ReplyPart | undefined {
  const part = value as StreamPart;
  switch (part.type) {
    case 'text-delta':
      return { kind: 'text', delta: part.delta };
    case 'reasoning-delta':
      return { kind: 'reasoning', delta: part.delta };
    case 'tool-call':
      return { kind: 'tool-call', call: { name: part.toolName, arguments: part.input } };
    case 'raw':
      return readChoiceError(part.rawValue);
    case 'finish':
      return { kind: 'finish', finish: readFinish(part.finishReason, part.usage) };
    case 'error':
      return endedWithoutReason(part.error)
        ? { kind: 'finish', finish: NO_REASON }
        : { kind: 'error', error: part.error };
    default:
      return undefined;
  }
}

const NO_REASON: FinishReport = { reason: 'missing', raw: undefined, usage: undefined };

interface RawChoice {
  readonly error?: unknown;
  readonly native_finish_reason?: unknown;
}

/** The failure that a chat chunk's choice reports: an error object, or the upstream's own word for a broken end. */
function readChoiceError(value: unknown): ReplyPart | undefined {
  const { choices } = (value ?? {}) as { readonly choices?: readonly (RawChoice | null | undefined)[] };
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  if (choice?.error !== undefined && choice.error !== null) return { kind: 'choice-error', error: choice.error };
  const word = choice?.native_finish_reason;
  if (typeof word !== 'string' || !BROKEN_OFF.test(word)) return undefined;
  return { kind: 'choice-error', error: { message: `its upstream ended the reply with the reason '${word}'` } };
}

/** How `@ai-sdk/openai-compatible` reports it. */
function endedWithoutReason(error: unknown): boolean {
  return error instanceof Error && error.name === 'AI_InvalidResponseDataError' && /finish reason/.test(error.message);
}

function readFinish(
  reason: Extract<StreamPart, { type: 'finish' }>['finishReason'],
  usage: ReportedUsage,
): FinishReport {
  // Version 2 has a bare string, later ones the provider's own word beside it.
  const unified: string = typeof reason === 'object' && reason !== null ? reason.unified : reason;
  const raw = typeof reason === 'object' && reason !== null ? reason.raw : undefined;
  return { reason: finishReason(unified, raw), raw, usage };
}

/** Words of a provider for an end that is a failure: the reply broke off. */
const BROKEN_OFF =
  /err(?:or)?\b|fail|network|abort|cancel|interrupt|timeout|timed.?out|disconnect|unavailable|overload|insufficient|crash|killed/i;

function finishReason(unified: string, raw: string | undefined): FinishReport['reason'] {
  switch (unified) {
    case 'stop':
    case 'length':
      return unified;
    case 'content-filter':
      return 'refused';
    case 'tool-calls':
      return 'other';
    case 'error':
      return 'error';
    default:
      if (raw !== undefined && BROKEN_OFF.test(raw)) return 'error';
      // 'other', 'unknown', 'interrupted': an end with a word of the provider's own is an end; without one the stream
      // was cut, whatever the SDK calls it.
      return raw === undefined || unified === 'interrupted' ? 'missing' : 'other';
  }
}
