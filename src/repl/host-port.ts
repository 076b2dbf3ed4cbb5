/**
 * The other half of the REPL port: what cells may ask of the host. The engine implements it.
 *
 * @module
 */
import type { FileValue, JsonValue } from './value-port.ts';

/** Answers the requests of cells. Everything in a request is untrusted; the channel has checked its shape only. */
export interface ReplHost {
  /** Serves one sub-call; resolves for failures too. `signal` aborts when the cell ends or the REPL dies. */
  subCall(call: SubCallRequest, signal: AbortSignal): Promise<SubCallReply>;
  /** @throws ToolError-like errors whose `name` and `message` are raised in the cell */
  callTool(name: string, args: Readonly<Record<string, JsonValue>>, signal: AbortSignal): Promise<JsonValue>;
  /** Checks a typed answer (JSON text). `errors` empty when it is right. */
  checkAnswer(json: string | null, text: string): Promise<{ readonly errors: readonly string[] }>;
  /** Takes an image for the model that wrote the cell. Returns a line to print. Absent: no model looks at the cell. */
  showImage?(image: Uint8Array): Promise<JsonValue>;
  readHistory(read: HistoryRead): Promise<JsonValue>;
  readProjection(read: ProjectionRead, signal: AbortSignal): Promise<JsonValue>;
}

/** A sub-call as a cell asks for it. */
export type SubCallRequest =
  | {
      readonly kind: 'llm';
      readonly prompt: string | readonly { readonly role: string; readonly content: string }[];
      readonly system?: string;
      readonly model?: string;
      readonly maxTokens?: number;
      /** Bytes of images, as the cell gave them. */
      readonly images?: readonly Uint8Array[];
      /** Set on items of one batch: `index` of `count`. */
      readonly batch?: { readonly id: number; readonly index: number; readonly count: number };
    }
  | {
      readonly kind: 'rlm';
      readonly query: string;
      readonly context?: GuestValue;
      /** Values that the child starts with besides its context. */
      readonly seed?: Readonly<Record<string, SeedFromCell>>;
      readonly model?: string;
      /** JSON Schema of the answer. */
      readonly output?: { readonly [key: string]: JsonValue };
      readonly batch?: { readonly id: number; readonly index: number; readonly count: number };
    };

/** A value that came from a guest: small ones in memory, large ones spooled into a file the host owns. */
export type GuestValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly json: string }
  | FileValue;

/** A seed value of a child as its cell gave it. A reference names a value that the host bound in that REPL. */
export type SeedFromCell =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly json: string }
  | {
      readonly kind: 'reference';
      readonly name: string;
      /** Those of a bound list of documents; absent: all of the value. */
      readonly documents?: readonly { readonly index: number; readonly path: string }[];
      /** The document itself, not a list of one. */
      readonly single?: boolean;
    };

/** A reply slot. A failed one has `ok: false`, empty text and an error; nothing is ever prose. */
export interface SubCallReply {
  readonly ok: boolean;
  readonly text: string;
  readonly truncated: boolean;
  /**
   * The model's reasoning, where the provider returns it; also of a call that failed because only reasoning arrived.
   */
  readonly reasoning?: string;
  /** JSON text of the typed value, for `rlm_query(output=…)`. */
  readonly valueJson?: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number | null };
  readonly error?: { readonly code: string; readonly message: string; readonly left?: JsonValue };
}

/** A read of `history`. */
export type HistoryRead =
  | { readonly op: 'length' }
  /** Items from `start` (inclusive) to `stop` (exclusive), already normalised to 0..length. */
  | { readonly op: 'items'; readonly start: number; readonly stop: number }
  /** One item or output by its stable id; null when there is none. */
  | { readonly op: 'by-id'; readonly id: string };

/** A read of a projection, by the id it was bound with. */
export type ProjectionRead =
  | { readonly id: string; readonly op: 'length' }
  /** Text by code point, or list items. */
  | { readonly id: string; readonly op: 'slice'; readonly start: number; readonly stop: number }
  | { readonly id: string; readonly op: 'keys' }
  | { readonly id: string; readonly op: 'get'; readonly key: string }
  /** The values of some keys: of the first ones where they are large. */
  | { readonly id: string; readonly op: 'values'; readonly keys: readonly string[] };
