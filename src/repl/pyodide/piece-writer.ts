/**
 * Writes the pieces of texts to a worker's data pipe, reading ahead by one.
 *
 * @module
 */
import type { Writable } from 'node:stream';
import { RlmError } from '../../errors.ts';
import { type LoadHeader, PIECE_ABORT, PIECE_BYTES, PIECE_PREFIX, UTF8_PIECE_BYTES } from './worker/protocol.ts';

/** The writer of one text. */
export interface PieceWriter {
  /** Room for a piece: write into it behind the prefix, then {@link send}. There are two, taken in turn. */
  room(): Buffer;
  /** Sends the first `bytes` of a room's content; resolves when the other room is free. */
  send(room: Buffer, bytes: number): Promise<void>;
  /** Sends bytes of any length. */
  write(bytes: Buffer): Promise<void>;
  /** The text is whole. */
  end(): Promise<void>;
  /** The worker is to forget it. */
  abort(): Promise<void>;
}

/** A writer over a data pipe, for a text of about `bytes`, in pieces as long as its form allows. */
export function writePieces(pipe: Writable, form: LoadHeader['form'], bytes: number): PieceWriter {
  const size = Math.min(form === 'units' ? PIECE_BYTES : UTF8_PIECE_BYTES, Math.max(4096, bytes));
  const rooms = [0, 1].map(() => Buffer.allocUnsafeSlow(PIECE_PREFIX + size));
  let turn = 0;
  let under: Promise<void> = Promise.resolve();

  /** Waits for what was written before, and starts this. */
  async function put(bytes: Buffer): Promise<void> {
    const before = under;
    under = writeAll(pipe, bytes);
    // The next write awaits it and gets its error.
    under.catch(() => {});
    await before;
  }
  async function mark(length: number): Promise<void> {
    const bytes = Buffer.alloc(PIECE_PREFIX);
    bytes.writeUInt32LE(length, 0);
    await put(bytes);
    await under;
  }
  const self: PieceWriter = {
    room() {
      turn = 1 - turn;
      return rooms[turn] ?? Buffer.alloc(0);
    },
    async send(room, bytes) {
      if (bytes === 0) return;
      room.writeUInt32LE(bytes, 0);
      await put(room.subarray(0, PIECE_PREFIX + bytes));
    },
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += size) {
        const room = self.room();
        await self.send(room, bytes.copy(room, PIECE_PREFIX, at, at + size));
      }
    },
    end: () => mark(0),
    abort: () => mark(PIECE_ABORT),
  };
  return self;
}

function writeAll(pipe: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (pipe.destroyed) {
      reject(new RlmError({ code: 'repl-failure', message: "The REPL's process has ended." }));
      return;
    }
    pipe.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
