/**
 * Files without a name: only those who were given the descriptor can reach them, and they go with the last of them.
 *
 * @module
 */

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, read as readCallback, unlinkSync, write as writeCallback, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CONTROL_WORDS, type ControlWord } from './worker/protocol.ts';

/** A descriptor of ours, closed once. */
export interface OwnedFile {
  readonly fd: number;
  close(): void;
}

/** An empty file, readable and writable through its descriptor only. */
export function openUnnamed(): OwnedFile {
  const path = join(tmpdir(), `fathom-${randomBytes(12).toString('hex')}`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
  } catch (error) {
    // Windows keeps the name while it is open; the folder is the user's own there.
    if (process.platform !== 'win32') throw error;
  }
  return own(fd);
}

/** A file that we write and a worker can only read. */
export interface ReadableFile {
  /** Ours. */
  readonly writer: OwnedFile;
  /** Its descriptor for reading, to be closed here once the worker has it. */
  readonly reader: OwnedFile;
}

/** An empty one without a name. */
export function openReadable(): ReadableFile {
  const path = join(tmpdir(), `fathom-${randomBytes(12).toString('hex')}`);
  const writer = own(openSync(path, 'wx+', 0o600));
  const reader = own(openSync(path, 'r'));
  if (process.platform !== 'win32') unlinkSync(path);
  return { writer, reader };
}

const readAsync = promisify(readCallback);
const writeAsync = promisify(writeCallback);
const PIECE_BYTES = 4 * 1024 * 1024;

/** Copies the first bytes of a file into another, each to its own place. */
export async function copyBytes(from: OwnedFile, to: OwnedFile, bytes: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Math.max(1, bytes)));
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await readAsync(from.fd, buffer, 0, Math.min(buffer.length, bytes - at), at);
    if (bytesRead === 0) return;
    for (let done = 0; done < bytesRead; ) {
      done += (await writeAsync(to.fd, buffer, done, bytesRead - done, at + done)).bytesWritten;
    }
    at += bytesRead;
  }
}

/** The words that a worker sees without waiting, see worker/control.ts. Its own descriptor cannot write. */
export interface Control {
  readonly reader: OwnedFile;
  /** Adds one to a word. */
  readonly raise: (word: ControlWord) => void;
  readonly close: () => void;
}

/** Opens them, all 0. */
export function openControl(): Control {
  const { writer, reader } = openReadable();
  const words = new Uint32Array(CONTROL_WORDS.length);
  const bytes = new Uint8Array(words.buffer);
  writeSync(writer.fd, bytes, 0, bytes.length, 0);
  return {
    reader,
    raise(word) {
      const index = CONTROL_WORDS.indexOf(word);
      words[index] = ((words[index] ?? 0) + 1) >>> 0;
      writeSync(writer.fd, bytes, index * 4, 4, index * 4);
    },
    close: () => writer.close(),
  };
}

/** Takes a descriptor over. */
export function own(fd: number): OwnedFile {
  let open = true;
  return {
    fd,
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
