/**
 * Blocking frames over one descriptor. The worker has no event loop while Python runs, so it reads and writes
 * synchronously.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { readSync, writeSync } from 'node:fs';
import { FRAME_PREFIX, QUICK_MS, QUICK_ROW } from './protocol.ts';

/** A frame as bytes, with the fields of its prefix. */
export interface RawFrame {
  readonly type: number;
  readonly id: number;
  /** The whole frame, prefix included. */
  readonly bytes: Buffer;
}

/** Frames over one descriptor. */
export interface Wire {
  /** The next frame; undefined when the host has gone. */
  read(): RawFrame | undefined;
  send(type: number, id: number, header: object, body?: readonly Uint8Array[]): void;
  /** Writes bytes that are frames already. */
  write(bytes: Uint8Array): void;
}

const CHUNK = 256 * 1024;

/** How to see that a frame has come without waiting for it. */
export interface Lookout {
  /** Frames the host has sent. */
  readonly sent: () => number;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * Opens the wire on a descriptor. With a lookout it looks for the next frame for a moment before it sleeps, as long as
 * frames come quickly: what the host answers by itself takes less time than to fall asleep, a model takes longer.
 */
export function openWire(fd: number, lookout?: Lookout): Wire {
  const staging = Buffer.allocUnsafe(CHUNK);
  let start = 0;
  let end = 0;
  let taken = 0;
  let quick = 0;

  const awaitFrame = ({ sent, now }: Lookout, prefix: Buffer): boolean => {
    const began = now();
    const isEarly = (): boolean => now() - began < QUICK_MS;
    if (quick >= QUICK_ROW) while (sent() === taken && isEarly());
    const came = take(prefix, 0);
    quick = isEarly() ? quick + 1 : 0;
    return came;
  };

  const take = (target: Buffer, offset: number): boolean => {
    let at = offset;
    while (at < target.length) {
      if (start === end) {
        const missing = target.length - at;
        // Large frames go straight to their place.
        const direct = missing >= CHUNK;
        const got = direct ? readSome(fd, target, at, missing) : readSome(fd, staging, 0, CHUNK);
        if (got === 0) return false;
        if (direct) {
          at += got;
          continue;
        }
        start = 0;
        end = got;
      }
      const size = Math.min(end - start, target.length - at);
      staging.copy(target, at, start, start + size);
      start += size;
      at += size;
    }
    return true;
  };

  return {
    read() {
      const prefix = Buffer.allocUnsafe(FRAME_PREFIX);
      const waits = lookout !== undefined && start === end;
      if (!(waits ? awaitFrame(lookout, prefix) : take(prefix, 0))) return undefined;
      const bytes = Buffer.allocUnsafe(4 + prefix.readUInt32LE(0));
      prefix.copy(bytes);
      if (!take(bytes, FRAME_PREFIX)) return undefined;
      taken = (taken + 1) >>> 0;
      return { type: prefix.readUInt8(4), id: prefix.readUInt32LE(5), bytes };
    },
    send(type, id, header, body = []) {
      writeAll(fd, encodeFrame(type, id, header, body));
    },
    write(bytes) {
      writeAll(fd, bytes);
    },
  };
}

/** A frame of a JSON header and raw parts. */
export function encodeFrame(type: number, id: number, header: object, body: readonly Uint8Array[] = []): Buffer {
  const head = Buffer.from(JSON.stringify(header));
  const bodyBytes = body.reduce((sum, part) => sum + part.length, 0);
  const frame = Buffer.allocUnsafe(FRAME_PREFIX + head.length + bodyBytes);
  frame.writeUInt32LE(frame.length - 4, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32LE(id, 5);
  frame.writeUInt32LE(head.length, 9);
  head.copy(frame, FRAME_PREFIX);
  let at = FRAME_PREFIX + head.length;
  for (const part of body) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** The JSON header of a frame from the host, which the worker trusts. */
export function headerOf(frame: RawFrame): unknown {
  return JSON.parse(frame.bytes.toString('utf8', FRAME_PREFIX, FRAME_PREFIX + frame.bytes.readUInt32LE(9)));
}

/** The body of a frame. */
export function bodyOf(frame: RawFrame): Buffer {
  return frame.bytes.subarray(FRAME_PREFIX + frame.bytes.readUInt32LE(9));
}

/** Reads what is there, waiting for at least one byte; 0 at the end of the stream. */
export function readSome(fd: number, target: Uint8Array, offset: number, length: number): number {
  for (;;) {
    try {
      return readSync(fd, target, offset, length, null);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EAGAIN' || code === 'EINTR') continue;
      if (code === 'EOF' || code === 'ECONNRESET') return 0;
      throw error;
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at, bytes.length - at);
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'EAGAIN' && code !== 'EINTR') throw error;
    }
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
}
