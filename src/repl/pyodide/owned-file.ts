/**
 * Files without a name: only those who were given the descriptor can reach them, and they go with the last of them.
 *
 * @module
 */

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

/** The word by which the host interrupts guest code, see child/interrupt.ts. The child's descriptor cannot write. */
export function openControl(): { readonly reader: OwnedFile; readonly raise: () => void; readonly close: () => void } {
  const path = join(tmpdir(), `fathom-${randomBytes(12).toString('hex')}`);
  const writer = own(openSync(path, 'wx', 0o600));
  const reader = own(openSync(path, 'r'));
  if (process.platform !== 'win32') unlinkSync(path);
  const word = new Uint32Array(1);
  const bytes = new Uint8Array(word.buffer);
  writeSync(writer.fd, bytes, 0, 4, 0);
  return {
    reader,
    raise() {
      word[0] = ((word[0] ?? 0) + 1) >>> 0;
      writeSync(writer.fd, bytes, 0, 4, 0);
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
