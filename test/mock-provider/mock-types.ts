/** Which wire format a request came in. */
export type WireFormat = 'openai-chat' | 'openai-responses' | 'anthropic' | 'google';

/** A request as the mock understood it, whatever its wire format. */
export interface MockRequest {
  readonly format: WireFormat;
  readonly model: string;
  readonly system: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  /** The text of the last user message. */
  readonly prompt: string;
  readonly maxTokens: number | undefined;
  /** 0 for the first request of this server. */
  readonly index: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface MockUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
  /** US dollars, as OpenRouter reports them. */
  readonly cost?: number;
}

/** A good reply and how it travels. */
export interface MockAnswer {
  readonly text: string;
  readonly reasoning?: string;
  /** `null`: none is sent. Default: an estimate. */
  readonly usage?: MockUsage | null;
  /** The provider's own word; `null`: none is sent. Default: the format's word for a normal end. */
  readonly finishReason?: string | null;
  readonly latencyMs?: number;
  /** Pieces the text is sent in. Default 3. */
  readonly pieces?: number;
  /** Milliseconds between pieces. */
  readonly pieceDelayMs?: number;
  /** The bytes are cut into packets of this size, wherever that falls. */
  readonly packetBytes?: number;
  readonly encoding?: 'gzip' | 'br';
  readonly headers?: Readonly<Record<string, string>>;
  /** Fields no provider has today, in every event. */
  readonly extraFields?: Readonly<Record<string, unknown>>;
  /** Further fields of the choice that ends a chat reply. */
  readonly choiceFields?: Readonly<Record<string, unknown>>;
  /** The field that holds reasoning (chat only). Default `reasoning_content`. */
  readonly reasoningField?: 'reasoning' | 'reasoning_content';
  /** Sent before the first event: comments, or events of another form (chat only). */
  readonly prelude?: string;
  /** An event object in place of the usual end (chat only). */
  readonly lastChunk?: Readonly<Record<string, unknown>>;
  /** One JSON body, whatever was asked for (chat only). */
  readonly inOnePiece?: boolean;
}

/** A fault to inject. `after`: text sent before it. */
export type MockFault =
  | {
      readonly fault: 'status';
      readonly status: number;
      readonly error?: MockErrorBody;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly fault: 'hang-before-headers' | 'reset-before-headers' | 'empty' }
  | {
      readonly fault: 'hang-mid-stream' | 'reset-mid-stream' | 'truncated' | 'malformed';
      readonly after: string;
    }
  | {
      /** After a whole reply, before its response has ended. */
      readonly fault: 'hang-after-reply' | 'reset-after-reply';
      readonly after: string;
    }
  | { readonly fault: 'html' }
  | { readonly fault: 'error-event'; readonly after?: string; readonly error: MockErrorBody }
  | { readonly fault: 'huge'; readonly bytes: number }
  | { readonly fault: 'redirect'; readonly location: string };

export interface MockErrorBody {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
}

export type MockReply = string | MockAnswer | MockFault;
export type MockResponder = (request: MockRequest) => MockReply | Promise<MockReply>;

/** One call as the server saw it. */
export interface MockCall {
  readonly request: MockRequest;
  /** The usage it would bill: zero for refused and failed calls. */
  usage: MockUsage;
  status: number;
  outcome: 'replied' | 'fault' | 'rate-limited' | 'client-gone';
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** A reply as events of one wire format. */
export interface RenderedReply {
  /** Server-sent events, each with its blank line. */
  readonly events: readonly string[];
  /** Events that end a whole reply: without them it is truncated. */
  readonly ending: readonly string[];
}

/** One provider's wire format. */
export interface Format {
  readonly format: WireFormat;
  matches(path: string): boolean;
  read(
    path: string,
    body: Readonly<Record<string, unknown>>,
  ): Omit<MockRequest, 'format' | 'index' | 'headers' | 'body'>;
  render(answer: MockAnswer & { readonly usage: MockUsage | null }, request: MockRequest): RenderedReply;
  /** A whole reply in one JSON body, where the format has one here. */
  wholeReply?(answer: MockAnswer & { readonly usage: MockUsage | null }, request: MockRequest): unknown;
  /** An error body, as sent with an error status. */
  errorBody(status: number, error: MockErrorBody): unknown;
  /** An error event inside a stream. */
  errorEvent(error: MockErrorBody): string;
  /** Whole, without a choice, candidate or content. */
  emptyReply(request: MockRequest): readonly string[];
}
