import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4Message,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import { estimateMessages, estimateTokens } from '../estimate-tokens.ts';
import { ModelImage } from '../image.ts';
import type { ChatMessage } from '../port.ts';

/** Tokens a scripted reply claims to have used. `undefined` counts stand for a provider that does not say. */
export interface ScriptedUsage {
  /** Of the whole prompt. */
  readonly inputTokens?: number;
  /** Of the reply. */
  readonly outputTokens?: number;
  /** Part of `inputTokens` that came from a cache. */
  readonly cachedTokens?: number;
}

/** An answer of a scripted model: a text, a reply with its particulars, or an error it fails with. */
export type ScriptedReply =
  | string
  | {
      readonly text: string;
      readonly reasoning?: string;
      /** `null`: the provider reports no usage. Default: an estimate of the request and the reply. */
      readonly usage?: ScriptedUsage | null;
      /** Default `stop`. `other` and `unknown` stand for a stream that broke off. */
      readonly finishReason?: LanguageModelV4FinishReason['unified'] | 'unknown';
      /** Milliseconds before the reply. */
      readonly latencyMs?: number;
    }
  | Error;

/** An image in a request to a scripted model. */
export interface ScriptedImage {
  readonly mediaType: string;
  readonly data: Uint8Array;
}

/** A request to a scripted model. */
export interface ScriptedRequest {
  /** System prompt, user and assistant messages, in order. */
  readonly messages: readonly ChatMessage[];
  /** The text of the last user message. */
  readonly prompt: string;
  /** The images of the last user message. */
  readonly images: readonly ScriptedImage[];
  /** 0 for the first call of this model. */
  readonly callIndex: number;
  /** The provider's maximum Fathom sent; `undefined` when there was none. */
  readonly maxOutputTokens: number | undefined;
  /** Aborts when the call is given up. */
  readonly signal: AbortSignal;
}

/** Answers one request; may be asynchronous; the call fails with the error it throws. */
export type ScriptedResponder = (request: ScriptedRequest) => ScriptedReply | Promise<ScriptedReply>;

/** Options of {@link scriptedModel}. */
export interface ScriptedModelOptions {
  /** Default `scripted`. */
  readonly modelId?: string;
  /** Milliseconds before each reply. Default 0: answers at once. */
  readonly latencyMs?: number;
  /** Usage of every reply that has none of its own. */
  readonly usage?: ScriptedUsage | null;
}

/** An AI SDK language model that answers from a script and remembers what it was asked. */
export interface ScriptedModel extends LanguageModelV4 {
  /** The requests to it, in order. */
  readonly requests: readonly ScriptedRequest[];
}

const NEVER_ABORTED: AbortSignal = new AbortController().signal;

/**
 * A language model for tests and demos: it answers from a list of replies, one per call, or from a function.
 *
 * @example
 * ```ts
 * const model = scriptedModel(['```python\nprint(len(context))\n```', 'FINAL(42)']);
 * const echo = scriptedModel(({ prompt }) => `You said: ${prompt}`, { latencyMs: 200 });
 * ```
 */
export function scriptedModel(
  replies: readonly ScriptedReply[] | ScriptedResponder,
  options: ScriptedModelOptions = {},
): ScriptedModel {
  const requests: ScriptedRequest[] = [];
  const modelId = options.modelId ?? 'scripted';
  const respond = typeof replies === 'function' ? replies : fromList(replies, modelId);

  const answer = async (call: LanguageModelV4CallOptions): Promise<WholeReply> => {
    const request = readRequest(call, requests.length);
    requests.push(request);
    const given = respond(request);
    const reply = given instanceof Promise ? await given : given;
    if (reply instanceof Error) {
      if (options.latencyMs) await delay(options.latencyMs, request.signal);
      throw reply;
    }
    const whole = completeReply(reply, options, request);
    if (whole.latencyMs > 0) await delay(whole.latencyMs, request.signal);
    return whole;
  };

  return {
    specificationVersion: 'v4',
    provider: 'scripted',
    modelId,
    supportedUrls: {},
    requests,
    async doGenerate(call) {
      const { content, finishReason, usage } = await answer(call);
      return { content, finishReason, usage, warnings: [] };
    },
    async doStream(call) {
      return { stream: streamOf(await answer(call)) };
    },
  };
}

function fromList(replies: readonly ScriptedReply[], modelId: string): ScriptedResponder {
  return ({ callIndex }) => {
    const reply = replies[callIndex];
    if (reply !== undefined) return reply;
    const given = replies.length === 1 ? '1 reply' : `${replies.length} replies`;
    throw new Error(`The scripted model '${modelId}' has ${given} and was called ${callIndex + 1} times.`);
  };
}

function readRequest(call: LanguageModelV4CallOptions, callIndex: number): ScriptedRequest {
  let prompt = '';
  let images: readonly ScriptedImage[] = [];
  const messages: ChatMessage[] = [];
  for (const message of call.prompt) {
    if (message.role === 'tool') continue;
    const content = typeof message.content === 'string' ? message.content : textOf(message.content);
    const shown = message.role === 'user' ? imagesOf(message.content) : [];
    messages.push({ role: message.role, content, ...(shown.length > 0 && { images: shown.map(toImage) }) });
    if (message.role !== 'user') continue;
    prompt = content;
    images = shown;
  }
  return {
    messages,
    prompt,
    images,
    callIndex,
    maxOutputTokens: call.maxOutputTokens,
    signal: call.abortSignal ?? NEVER_ABORTED,
  };
}

function imagesOf(content: Extract<LanguageModelV4Message, { role: 'user' }>['content']): readonly ScriptedImage[] {
  return content.flatMap((part) =>
    part.type === 'file' && part.data.type === 'data' && part.data.data instanceof Uint8Array
      ? [{ mediaType: part.mediaType, data: part.data.data }]
      : [],
  );
}

function toImage({ data }: ScriptedImage): ModelImage {
  return new ModelImage(data);
}

function textOf(parts: readonly { readonly type: string }[]): string {
  let text = '';
  for (const part of parts) if (part.type === 'text') text += (part as { readonly text?: string }).text ?? '';
  return text;
}

interface WholeReply {
  readonly content: LanguageModelV4Content[];
  readonly finishReason: LanguageModelV4FinishReason;
  readonly usage: LanguageModelV4Usage;
  readonly latencyMs: number;
}

function completeReply(
  reply: Exclude<ScriptedReply, Error>,
  options: ScriptedModelOptions,
  request: ScriptedRequest,
): WholeReply {
  const { text, reasoning, usage, finishReason, latencyMs } = typeof reply === 'string' ? { text: reply } : reply;
  const unified = finishReason === undefined ? 'stop' : finishReason === 'unknown' ? 'other' : finishReason;
  const content: LanguageModelV4Content[] = [];
  if (reasoning !== undefined) content.push({ type: 'reasoning', text: reasoning });
  content.push({ type: 'text', text });
  return {
    content,
    finishReason: { unified, raw: unified === 'other' || unified === 'interrupted' ? undefined : unified },
    usage: toUsage(usage === undefined ? options.usage : usage, request, `${reasoning ?? ''}${text}`),
    latencyMs: latencyMs ?? options.latencyMs ?? 0,
  };
}

function toUsage(
  usage: ScriptedUsage | null | undefined,
  request: ScriptedRequest,
  reply: string,
): LanguageModelV4Usage {
  const counts: ScriptedUsage =
    usage === undefined
      ? { inputTokens: estimateMessages(request.messages), outputTokens: Math.max(1, estimateTokens(reply)) }
      : (usage ?? {});
  const { inputTokens, outputTokens, cachedTokens } = counts;
  return {
    inputTokens: { total: inputTokens, noCache: undefined, cacheRead: cachedTokens, cacheWrite: undefined },
    outputTokens: { total: outputTokens, text: undefined, reasoning: undefined },
  };
}

function streamOf({ content, finishReason, usage }: WholeReply): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream<LanguageModelV4StreamPart>({
    start(controller) {
      controller.enqueue({ type: 'stream-start', warnings: [] });
      for (const [index, part] of content.entries()) {
        if (part.type !== 'text' && part.type !== 'reasoning') continue;
        const id = String(index);
        controller.enqueue({ type: `${part.type}-start`, id });
        controller.enqueue({ type: `${part.type}-delta`, id, delta: part.text });
        controller.enqueue({ type: `${part.type}-end`, id });
      }
      controller.enqueue({ type: 'finish', finishReason, usage });
      controller.close();
    },
  });
}

function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
