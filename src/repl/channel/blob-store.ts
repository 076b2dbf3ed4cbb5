import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelViolation, MAX_SPOOLS } from './limits.ts';

/** Bytes of a value kept in memory; above it the value goes to a file. */
const IN_MEMORY = 1024 * 1024;
/** Bytes that a piece counts at least: many empty ones would fill the host's memory too. */
const LEAST_PIECE = 4096;

/** A value whose pieces are coming in, or have. */
export interface Blob {
  readonly size: number;
  readonly complete: boolean;
  /** The value as bytes. */
  bytes(): Buffer;
  /** A path under which the value can be opened until `free`; undefined when it lies in memory. */
  readonly path: string | undefined;
  /** Gives memory and file back. Idempotent. */
  free(): void;
}

/** Large values of one guest: memory up to 1 MiB each, then one of a few files that no other process can name. */
export interface BlobStore {
  /**
   * @throws ChannelViolation when the guest's blobs exceed the limit, more than {@link MAX_SPOOLS} of them lie in
   *   files, or a blob continues after its end
   */
  add(id: number, piece: Buffer, more: boolean): void;
  has(id: number): boolean;
  /** Takes a complete blob out of the store; the caller frees it. */
  take(id: number): Blob | undefined;
  /** Frees everything that was not taken. */
  clear(): void;
}

interface Growing {
  size: number;
  /** The memory that its pieces count as. */
  counted: number;
  complete: boolean;
  memory: Buffer[];
  file: Spool | undefined;
}

interface Spool {
  readonly fd: number;
  readonly path: string;
  readonly remove: () => void;
}

/** A store for one guest that holds at most `limit` bytes. */
export function createBlobStore(limit: number): BlobStore {
  const blobs = new Map<number, Growing>();
  let total = 0;
  /** Files that are open, those of values that were taken included. */
  let spools = 0;

  function openFile(): Spool {
    if (spools >= MAX_SPOOLS) throw new ChannelViolation(`more than ${MAX_SPOOLS} large values are under way at once`);
    const spool = openSpool();
    spools += 1;
    return {
      ...spool,
      remove() {
        spools -= 1;
        spool.remove();
      },
    };
  }

  return {
    add(id, piece, more) {
      const blob = blobs.get(id) ?? { size: 0, counted: 0, complete: false, memory: [], file: undefined };
      if (blob.complete) throw new ChannelViolation(`blob ${id} continues after its end`);
      const counts = Math.max(piece.length, LEAST_PIECE);
      total += counts;
      if (total > limit) throw new ChannelViolation(`values of more than ${limit} bytes were sent (diskBytes)`);
      blobs.set(id, blob);
      blob.counted += counts;
      grow(blob, piece, openFile);
      blob.complete = !more;
    },
    has: (id) => blobs.has(id),
    take(id) {
      const blob = blobs.get(id);
      if (blob === undefined || !blob.complete) return undefined;
      blobs.delete(id);
      return handle(blob, () => {
        total -= blob.counted;
      });
    },
    clear() {
      for (const blob of blobs.values()) {
        total -= blob.counted;
        blob.file?.remove();
      }
      blobs.clear();
    },
  };
}

function grow(blob: Growing, piece: Buffer, openFile: () => Spool): void {
  blob.size += piece.length;
  if (blob.file === undefined && blob.size <= IN_MEMORY) {
    blob.memory.push(Buffer.from(piece));
    return;
  }
  if (blob.file === undefined) {
    blob.file = openFile();
    for (const held of blob.memory) writeAll(blob.file.fd, held);
    blob.memory = [];
  }
  writeAll(blob.file.fd, piece);
}

function handle(blob: Growing, onFree: () => void): Blob {
  let freed = false;
  return {
    size: blob.size,
    complete: true,
    path: blob.file?.path,
    bytes() {
      if (blob.file === undefined) return Buffer.concat(blob.memory);
      const bytes = Buffer.allocUnsafe(blob.size);
      let at = 0;
      while (at < bytes.length) {
        const read = readSync(blob.file.fd, bytes, at, bytes.length - at, at);
        if (read === 0) break;
        at += read;
      }
      return bytes;
    },
    free() {
      if (freed) return;
      freed = true;
      blob.file?.remove();
      blob.memory = [];
      onFree();
    },
  };
}

function writeAll(fd: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(fd, bytes, at);
}

/** A file in a folder of its own that only this user can enter; on Linux it loses its name at once. */
function openSpool(): Spool {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-value-'));
  const path = join(folder, 'value');
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  const unnamed = process.platform === 'linux';
  if (unnamed) rmSync(folder, { recursive: true, force: true });
  return {
    fd,
    path: unnamed ? `/proc/${process.pid}/fd/${fd}` : path,
    remove() {
      closeSync(fd);
      if (!unnamed) rmSync(folder, { recursive: true, force: true });
    },
  };
}
