/**
 * Reads the requests of guests from untrusted frames into typed ones.
 *
 * @module
 */

import { defined } from '../../defined.ts';
import { asNumbers, type LostNumber, lostNumbers, parseWithDigits } from '../../json-digits.ts';
import type { GuestValue, HistoryRead, JsonValue, ProjectionRead, ReplLimits, SubCallRequest } from '../port.ts';
import type { Blob } from './blob-store.ts';
import { ChannelViolation, MAX_CALL_IMAGES, MAX_IMAGE_BYTES, MAX_LOOKUP_CHARS, MAX_READ_KEYS } from './limits.ts';
import type { Part, PartReader } from './parts.ts';
import { answerParts } from './results.ts';
import { parseSeeds } from './seed-values.ts';
import {
  checkInteger,
  type Fields,
  field,
  parsePart,
  readChoice,
  readFlag,
  readInteger,
  readList,
  readObject,
  readOptionalInteger,
  readOptionalString,
  readString,
} from './shape.ts';

/** One sub-call, with what to free when it has ended. */
export interface ParsedCall {
  readonly request: SubCallRequest;
  /** Bytes that the host holds for it beside its texts. */
  readonly bytes: number;
  readonly blob: Blob | undefined;
}

/** A request frame, understood. */
export type GuestRequest =
  | { readonly op: 'calls'; readonly calls: readonly ParsedCall[] }
  | {
      readonly op: 'tool';
      readonly name: string;
      readonly args: Readonly<Record<string, JsonValue>>;
      /** Arguments that JavaScript cannot hold: the tool would get other digits. */
      readonly lost: readonly LostNumber[];
    }
  | { readonly op: 'check-answer'; readonly json: string | null; readonly text: string }
  | { readonly op: 'show'; readonly image: Buffer }
  | { readonly op: 'history'; readonly read: HistoryRead }
  | { readonly op: 'projection'; readonly read: ProjectionRead }
  | { readonly op: 'cancel'; readonly ids: readonly number[] }
  | { readonly op: 'wake'; readonly ms: number };

const MAX_INDEX = Number.MAX_SAFE_INTEGER;
const OPS = ['calls', 'tool', 'check-answer', 'show', 'history', 'projection', 'cancel', 'wake'] as const;

/** @throws ChannelViolation for anything that is not exactly a request */
export function parseRequest(fields: Fields, parts: PartReader, limits: ReplLimits): GuestRequest {
  const request = parseOperation(fields, parts, limits);
  parts.end();
  return request;
}

function parseOperation(fields: Fields, parts: PartReader, limits: ReplLimits): GuestRequest {
  const op = readChoice(fields, 'op', OPS);
  switch (op) {
    case 'calls':
      return { op, calls: parseCalls(fields, parts, limits) };
    case 'tool': {
      const args = parsePart(parts.bytes(limits.answerBytes), 'the arguments of a tool', parseWithDigits);
      readObject(args, 'the arguments of a tool');
      return {
        op,
        name: readString(fields, 'name', MAX_LOOKUP_CHARS),
        args: asNumbers(args) as Readonly<Record<string, JsonValue>>,
        lost: lostNumbers(args),
      };
    }
    case 'check-answer':
      return { op, ...answerParts(fields, parts, limits) };
    case 'show':
      return { op, image: parts.bytes(MAX_IMAGE_BYTES) };
    case 'history':
      return { op, read: parseHistory(fields) };
    case 'projection':
      return { op, read: parseProjection(fields) };
    case 'cancel':
      return { op, ids: readList(fields, 'ids', 100_000).map((id) => checkInteger(id, 'an id', 1, 0xffff_ffff)) };
    case 'wake':
      return { op, ms: readInteger(fields, 'ms', 0, MAX_INDEX) };
  }
}

function parseCalls(fields: Fields, parts: PartReader, limits: ReplLimits): ParsedCall[] {
  const calls: ParsedCall[] = [];
  for (const item of readList(fields, 'calls', limits.maxBatchItems)) {
    const entry = readObject(item, 'a call');
    if (readChoice(entry, 'kind', ['llm', 'rlm']) === 'rlm') calls.push(parseChild(entry, parts, limits));
    else parseFlat(entry, parts, limits, calls);
  }
  if (calls.length === 0) throw new ChannelViolation('a request holds no call');
  return calls;
}

/** An entry of flat calls holds `count` calls with the same options, neighbours in a batch. */
function parseFlat(entry: Fields, parts: PartReader, limits: ReplLimits, calls: ParsedCall[]): void {
  const system = readFlag(entry, 'system') ? parts.text(limits.promptBytes) : undefined;
  const model = readOptionalString(entry, 'model', MAX_LOOKUP_CHARS);
  const maxTokens = readOptionalInteger(entry, 'max_tokens', 1, 2 ** 31 - 1);
  const chat = readFlag(entry, 'chat');
  const sizes =
    field(entry, 'images') === undefined
      ? []
      : readList(entry, 'images', MAX_CALL_IMAGES).map((size) =>
          checkInteger(size, 'the size of an image', 1, MAX_IMAGE_BYTES),
        );
  const batch = parseBatch(entry, limits);
  const count = readOptionalInteger(entry, 'count', 1, limits.maxBatchItems) ?? 1;
  if (count > 1 && (batch === undefined || batch.index + count > batch.count)) {
    throw new ChannelViolation('a group of calls is longer than its batch');
  }
  for (let index = 0; index < count; index += 1) {
    const request: SubCallRequest = {
      kind: 'llm',
      prompt: chat ? parseChat(parts.bytes(limits.promptBytes)) : parts.text(limits.promptBytes),
      ...defined({ system, model, maxTokens }),
      ...(sizes.length === 0 ? {} : { images: parseImages(sizes, parts) }),
      ...(batch === undefined ? {} : { batch: { ...batch, index: batch.index + index } }),
    };
    calls.push({ request, bytes: sizes.reduce((sum, size) => sum + size, 0), blob: undefined });
  }
}

/** The images of one call lie in one part, one behind the other. */
function parseImages(sizes: readonly number[], parts: PartReader): readonly Buffer[] {
  const all = parts.bytes(MAX_CALL_IMAGES * MAX_IMAGE_BYTES);
  let end = 0;
  const images = sizes.map((size) => {
    end += size;
    return all.subarray(end - size, end);
  });
  if (end !== all.length) throw new ChannelViolation('the images of a call have other sizes than it says');
  return images;
}

function parseChat(bytes: Buffer): { role: string; content: string }[] {
  const messages = parsePart(bytes, 'a chat');
  if (!Array.isArray(messages)) throw new ChannelViolation('a chat is not a list');
  return messages.map((item) => {
    const message = readObject(item, 'a message');
    const role = readChoice(message, 'role', ['system', 'user', 'assistant']);
    return { role, content: readString(message, 'content', Number.POSITIVE_INFINITY) };
  });
}

function parseChild(entry: Fields, parts: PartReader, limits: ReplLimits): ParsedCall {
  const model = readOptionalString(entry, 'model', MAX_LOOKUP_CHARS);
  const batch = parseBatch(entry, limits);
  const query = parts.text(limits.promptBytes);
  const form = field(entry, 'context') === undefined ? undefined : readChoice(entry, 'context', ['text', 'json']);
  const part = form === undefined ? undefined : parts.next();
  const output = readFlag(entry, 'output') ? parsePart(parts.bytes(limits.promptBytes), 'an output schema') : undefined;
  if (output !== undefined) readObject(output, 'an output schema');
  const seed = readFlag(entry, 'seed') ? parseSeeds(parts.bytes(limits.promptBytes)) : undefined;
  const request: SubCallRequest = {
    kind: 'rlm',
    query,
    ...(part === undefined || form === undefined ? {} : { context: guestValue(part, form) }),
    ...defined({ model }),
    ...(output === undefined ? {} : { output: output as { readonly [key: string]: JsonValue } }),
    ...defined({ batch, seed }),
  };
  return { request, bytes: 0, blob: part?.kind === 'blob' ? part.blob : undefined };
}

function guestValue(part: Part, form: 'text' | 'json'): GuestValue {
  if (part.kind === 'blob' && part.blob.path !== undefined) {
    return { kind: 'file', path: part.blob.path, bytes: part.blob.size, encoding: 'utf-8', skip: 0, as: form };
  }
  const text = (part.kind === 'blob' ? part.blob.bytes() : part.bytes).toString('utf8');
  return form === 'text' ? { kind: 'text', text } : { kind: 'json', json: text };
}

function parseBatch(entry: Fields, limits: ReplLimits): { id: number; index: number; count: number } | undefined {
  if (field(entry, 'batch') === undefined) return undefined;
  const numbers = readList(entry, 'batch', 3);
  const id = checkInteger(numbers[0], 'a batch id', 1, MAX_INDEX);
  const count = checkInteger(numbers[2], 'the size of a batch', 1, limits.maxBatchItems);
  return { id, index: checkInteger(numbers[1], 'an index in a batch', 0, count - 1), count };
}

function parseHistory(fields: Fields): HistoryRead {
  const op = readChoice(fields, 'read', ['length', 'items', 'by-id']);
  if (op === 'length') return { op };
  if (op === 'by-id') return { op, id: readString(fields, 'id', MAX_LOOKUP_CHARS) };
  const start = readInteger(fields, 'start', 0, MAX_INDEX);
  return { op, start, stop: readInteger(fields, 'stop', start, MAX_INDEX) };
}

function parseProjection(fields: Fields): ProjectionRead {
  const id = readString(fields, 'id', MAX_LOOKUP_CHARS);
  const op = readChoice(fields, 'read', ['length', 'slice', 'keys', 'get', 'values']);
  if (op === 'values') return { id, op, keys: readList(fields, 'keys', MAX_READ_KEYS).map(checkKey) };
  if (op === 'get') return { id, op, key: readString(fields, 'key') };
  if (op !== 'slice') return { id, op };
  const start = readInteger(fields, 'start', 0, MAX_INDEX);
  return { id, op, start, stop: readInteger(fields, 'stop', start, MAX_INDEX) };
}

function checkKey(key: unknown): string {
  if (typeof key === 'string') return key;
  throw new ChannelViolation('a key of a projection is not a text');
}
