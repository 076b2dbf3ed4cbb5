import { ChannelViolation, MAX_GUEST_FRAME, MAX_GUEST_HEADER, MAX_RUNTIME_HEADER } from './limits.ts';

/**
 * The frame format of the channel, see docs/channel.md. Encoding for frames to the guest, a streaming decoder for
 * frames from it; every byte that comes in is hostile.
 *
 * @module
 */

/** Frame types. Those from {@link FrameType.runtime} on are between the host and a backend's own process. */
export const FrameType = {
  command: 1,
  result: 2,
  request: 3,
  reply: 4,
  output: 5,
  blob: 6,
  runtime: 64,
} as const;

const PREFIX = 13;
const INNER = 9;
const NOTHING: Buffer = Buffer.alloc(0);

/** A frame as it came. `header` is parsed JSON of unknown shape; `body` is a view into the received bytes. */
export interface Frame {
  readonly type: number;
  readonly id: number;
  readonly header: unknown;
  readonly body: Buffer;
}

/** One frame. `header` is JSON text that names `parts` when there are any. */
export function encodeFrame(type: number, id: number, header: string, parts: readonly Buffer[] = []): Buffer {
  const headerBytes = Buffer.byteLength(header);
  let total = PREFIX + headerBytes;
  for (const part of parts) total += part.length;
  const frame = Buffer.allocUnsafe(total);
  frame.writeUInt32LE(total - 4, 0);
  frame[4] = type;
  frame.writeUInt32LE(id, 5);
  frame.writeUInt32LE(headerBytes, 9);
  frame.write(header, PREFIX, headerBytes, 'utf8');
  let at = PREFIX + headerBytes;
  for (const part of parts) {
    part.copy(frame, at);
    at += part.length;
  }
  return frame;
}

/** Takes a stream apart into frames, in time linear in its bytes. */
export interface FrameDecoder {
  /**
   * Gives the frames that `chunk` completes.
   *
   * @throws ChannelViolation for a frame that is malformed, longer than `maxFrame`, or whose header is too long
   */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): void;
  /** Bytes of a frame that has begun and not ended. */
  readonly pending: number;
}

/** Bounds on the frames that a decoder accepts. */
export interface FrameBounds {
  /** Bytes of a frame. Default {@link MAX_GUEST_FRAME}. */
  readonly maxFrame?: number;
  /** Bytes of a header. Default {@link MAX_GUEST_HEADER}. */
  readonly maxHeader?: number;
  /** Bytes of the header of a runtime frame, where the stream may have them. Default: as `maxHeader`. */
  readonly maxRuntimeHeader?: number;
}

/** Bounds for a stream that carries frames of a backend's own process too. */
export const WITH_RUNTIME: FrameBounds = { maxRuntimeHeader: MAX_RUNTIME_HEADER };

/** A decoder for one stream. */
export function createFrameDecoder(bounds: FrameBounds = {}): FrameDecoder {
  const { maxFrame = MAX_GUEST_FRAME, maxHeader = MAX_GUEST_HEADER, maxRuntimeHeader = maxHeader } = bounds;
  /** The bytes of a frame's length that have arrived, while it is not whole. */
  let begun: Buffer = NOTHING;
  /** The frame under way, length included. Pieces are copied into it: a guest may send millions, of a byte each. */
  let frame: Buffer | undefined;
  let held = 0;

  const decode = (bytes: Buffer): Frame =>
    decodeFrame(bytes, bytes.readUInt8(0) >= FrameType.runtime ? maxRuntimeHeader : maxHeader);

  /** Takes the bytes that the frame under way still needs; returns the rest of the chunk. */
  function fill(into: Buffer, chunk: Buffer, onFrame: (frame: Frame) => void): Buffer {
    const taken = chunk.copy(into, held);
    held += taken;
    if (held === into.length) {
      frame = undefined;
      held = 0;
      onFrame(decode(into.subarray(4)));
    }
    return chunk.subarray(taken);
  }

  return {
    push(chunk, onFrame) {
      let rest = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
      begun = NOTHING;
      if (frame !== undefined) rest = fill(frame, rest, onFrame);
      while (rest.length >= 4) {
        const length = rest.readUInt32LE(0);
        if (length < INNER) throw new ChannelViolation(`a frame of ${length} bytes is too short`);
        if (length > maxFrame) {
          throw new ChannelViolation(`a frame of ${length} bytes is longer than ${maxFrame} bytes`);
        }
        if (rest.length < length + 4) {
          frame = Buffer.allocUnsafe(length + 4);
          rest = fill(frame, rest, onFrame);
          break;
        }
        onFrame(decode(rest.subarray(4, length + 4)));
        rest = rest.subarray(length + 4);
      }
      // A copy, so that a few bytes do not keep a large chunk alive.
      if (rest.length > 0) begun = Buffer.from(rest);
    },
    get pending() {
      return begun.length + held;
    },
  };
}

function decodeFrame(bytes: Buffer, maxHeader: number): Frame {
  const headerBytes = bytes.readUInt32LE(5);
  if (headerBytes > bytes.length - INNER) {
    throw new ChannelViolation(`a frame's header of ${headerBytes} bytes is longer than the frame`);
  }
  if (headerBytes > maxHeader) {
    throw new ChannelViolation(`a frame's header of ${headerBytes} bytes is longer than ${maxHeader} bytes`);
  }
  return {
    type: bytes.readUInt8(0),
    id: bytes.readUInt32LE(1),
    header: parseHeader(bytes.toString('utf8', INNER, INNER + headerBytes)),
    body: bytes.subarray(INNER + headerBytes),
  };
}

function parseHeader(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ChannelViolation("a frame's header is not JSON");
  }
}

/** Texts on their way into a guest. @module */

/** UTF-8 in which a lone surrogate is three bytes, so that it arrives as the same code point. */
export function encodeExact(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
      at += 1;
      continue;
    }
    pieces.push(Buffer.from(text.slice(start, at), 'utf8'));
    pieces.push(Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]));
    start = at + 1;
  }
  pieces.push(Buffer.from(text.slice(start), 'utf8'));
  return Buffer.concat(pieces);
}
