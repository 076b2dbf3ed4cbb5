/**
 * The model port: one attempt of one model call. Retries, rate control and accounts lie above it.
 *
 * @module
 */
import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider';
import type { ModelImage } from './image.ts';
import type { CallSettings } from './model-settings.ts';

/** An AI SDK language model of any supported specification version. */
export type LanguageModel = LanguageModelV2 | LanguageModelV3 | LanguageModelV4;

/** A model as callers name it: `provider/model`, `replay:FILE`, `record:FILE:provider/model`, or an AI SDK model. */
export type ModelRef = string | LanguageModel;

/** US dollars per million tokens. */
export interface ModelPrice {
  /** For input tokens. */
  readonly input: number;
  /** For output tokens, reasoning included. */
  readonly output: number;
  /** For input tokens read from the provider's cache. Default: the input price. */
  readonly cached?: number;
  /** For input tokens written to the provider's cache. Default: the input price. */
  readonly cacheWrite?: number;
}

/** One message of a chat. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
  /** Of a user message; the model sees them before the text. */
  readonly images?: readonly ModelImage[];
}

/**
 * Called with each piece of a reply's text. A number ends the provider's stream: so many characters of this piece are the
 * last of the reply.
 */
export type TextReader = (delta: string) => number | undefined;

/**
 * The sender calls it right before a request leaves this process, because the process may have been stopped since the attempt was
 * recorded. A promise rejects where another process has taken the run over meanwhile; undefined: the request may leave.
 */
export type Confirm = () => Promise<void> | undefined;

/** The content of one attempt. */
export interface ModelRequest {
  readonly messages: readonly ChatMessage[];
  /** Estimated tokens of the images in the messages. Default 0. */
  readonly imageTokens?: number;
  /** Sent as the provider's maximum. */
  readonly maxOutputTokens: number;
  readonly settings?: CallSettings;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte from the provider before the attempt fails with `timeout`. */
  readonly idleTimeoutMs: number;
  /** Milliseconds to the first byte of a reply before the attempt fails with `timeout`. Default: `idleTimeoutMs`. */
  readonly firstByteTimeoutMs?: number;
  /** Reads the reply as it comes, and may end it. */
  readonly onText?: TextReader;
  /** Called right before the request leaves. It is not sent where the promise rejects. */
  readonly confirm?: Confirm;
  /** Called with the response's headers (lower-case names) and status when they arrive, where there is a wire to see. */
  readonly onHeaders?: (headers: Readonly<Record<string, string>>, status: number) => void;
}

/** Tokens of one attempt. `estimated` when the provider did not say. */
export interface CallUsage {
  /** Of the whole prompt, cached ones included. */
  readonly inputTokens: number;
  /** Of the reply, reasoning included. */
  readonly outputTokens: number;
  /** Of `inputTokens`, those read from the provider's cache. */
  readonly cachedTokens?: number;
  /** Of `inputTokens`, those written to the provider's cache. */
  readonly cacheWriteTokens?: number;
  /** US dollars, where the provider reports the cost of the call itself. It outranks every table. */
  readonly costUsd?: number;
  /** The provider did not say: they are estimates. */
  readonly estimated: boolean;
  /** The provider's own report, where it could not be true and was replaced by an estimate. */
  readonly reported?: { readonly inputTokens: number | undefined; readonly outputTokens: number | undefined };
}

/** Why a reply ended. `length`: cut off at the output limit. `stopped`: ended by `onText`. */
export type FinishReason = 'stop' | 'length' | 'stopped' | 'other';

/** A call of a tool, in the provider's own form. No request of Fathom offers tools: models make such calls unasked. */
export interface ToolCall {
  readonly name: string;
  /** As the model wrote them: JSON in most cases. */
  readonly arguments: string;
}

/** A fact about a good reply that its caller should know. */
export interface ReplyNotice {
  readonly kind: 'input-truncated' | 'unknown-finish-reason';
  readonly message: string;
}

/**
 * A whole reply: a truncated stream, an error page or an empty answer never becomes one. `text` is empty only when
 * `toolCalls` is not.
 */
export interface ModelReply {
  readonly text: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly notices?: readonly ReplyNotice[];
  readonly finishReason: FinishReason;
  readonly usage: CallUsage;
}

/** A resolved model. */
export interface Model {
  /** As events, usage and prices name it, e.g. `openai/gpt-5`. */
  readonly id: string;
  /** The reference that names it, where the id alone does not, e.g. `http://host:8000/v1#name`. Never a secret. */
  readonly ref?: string;
  readonly provider: string;
  /** Base URL of the server that answers, where it is known: the same id at another server is another model to rate control. */
  readonly endpoint?: string;
  /** Unknown price = unknown cost, never zero. */
  readonly price: ModelPrice | undefined;
  /** Tokens of input and output the model takes, when known; it changes when the endpoint reports its own window. */
  readonly contextTokens: number | undefined;
  /** The window is that of the server which is running, not a table's: a longer prompt would be cut or refused. */
  readonly contextIsMeasured?: boolean;
  /** Most output tokens of one reply, when the endpoint has reported it. */
  readonly maxOutputTokens: number | undefined;
  /** The provider reports the cost of each call: a limit on money holds without a price. */
  readonly reportsCost?: boolean;
  /** On this machine or its private network. */
  readonly local?: boolean;
  /** Behind a wire: rate control starts with care. Default false. */
  readonly remote?: boolean;
  /** Loads what the first attempt needs, so that attempts do not pile up behind it. */
  readonly prepare?: () => Promise<void>;
  /** One attempt over the wire. @throws ModelError */
  attempt(request: ModelRequest): Promise<ModelReply>;
}
