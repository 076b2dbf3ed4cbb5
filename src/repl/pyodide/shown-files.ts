/**
 * Files of contexts on their way into workers: their bytes go to a file of the host's that the worker reads when a cell
 * does, their places in it by a frame.
 *
 * @module
 */
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { messageOf, RlmError } from '../../errors.ts';
import { openRegularNow } from '../../regular-file.ts';
import { createTimeSlices } from '../../time-slices.ts';
import type { ContextFile } from '../port.ts';
import { copyBytes } from './owned-file.ts';
import { RUNTIME, type ShownFile } from './worker/protocol.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Bytes read at once, and gathered before they are written. */
const PIECE_BYTES = 1024 * 1024;

/** Files of one REPL that cells can open. */
export interface ShownFiles {
  /** @throws RlmError `context-not-found`, `context-invalid` */
  show(worker: WorkerHandle, files: readonly ContextFile[]): Promise<void>;
  /** Shows all of them in a worker that takes over from `old`. */
  handOver(old: WorkerHandle, worker: WorkerHandle): Promise<void>;
  /** The next worker begins with none. */
  forget(): void;
}

/** Makes the collection. */
export function makeShownFiles(): ShownFiles {
  const places = new Map<string, ShownFile>();
  let end = 0;
  return {
    async show(worker, files) {
      const copier = makeCopier(worker.files.fd, end);
      const added: ShownFile[] = [];
      for (const { at, file } of files) {
        added.push([at, end, file.bytes]);
        await copier.add(file);
        end += file.bytes;
      }
      copier.finish();
      for (const place of added) places.set(place[0], place);
      await send(worker, added);
    },
    async handOver(old, worker) {
      if (places.size === 0) return;
      await copyBytes(old.files, worker.files, end);
      await send(worker, [...places.values()]);
    },
    forget() {
      places.clear();
      end = 0;
    },
  };
}

async function send(worker: WorkerHandle, files: readonly ShownFile[]): Promise<void> {
  const { header } = await worker.ask(RUNTIME.show, {}, [Buffer.from(JSON.stringify(files))]);
  const { error } = header as { readonly error?: unknown };
  if (error !== '') throw new RlmError({ code: 'context-invalid', message: `The files cannot be shown: ${error}.` });
}

interface Copier {
  /** Appends a file's bytes. @throws RlmError `context-not-found`, `context-invalid` */
  add(file: ContextFile['file']): Promise<void>;
  finish(): void;
}

/** Reads without waiting, in slices: an asynchronous read of a small file takes ten times as much processor time. */
function makeCopier(target: number, start: number): Copier {
  const pause = createTimeSlices();
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let filled = 0;
  let written = start;
  function flush(): void {
    try {
      for (let at = 0; at < filled; ) at += writeSync(target, buffer, at, filled - at, written + at);
    } catch (error) {
      throw noRoom(error);
    }
    written += filled;
    filled = 0;
  }
  return {
    async add(file) {
      const { path, bytes } = file;
      await pause();
      const source = openFile(file);
      try {
        for (let position = 0; position < bytes; ) {
          if (filled === buffer.length) {
            flush();
            await pause();
          }
          const read = readSync(source, buffer, filled, Math.min(buffer.length - filled, bytes - position), position);
          if (read === 0) throw changed(path, bytes, position);
          position += read;
          filled += read;
        }
      } finally {
        closeSync(source);
      }
    },
    finish: flush,
  };
}

function openFile(file: ContextFile['file']): number {
  const { path, bytes } = file;
  let source: number;
  try {
    source = openRegularNow(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw unusable(path, messageOf(error), missing ? 'context-not-found' : 'context-invalid');
  }
  const { size } = fstatSync(source);
  if (size === bytes) return source;
  closeSync(source);
  throw changed(path, bytes, size);
}

/** The folder for temporary files is full. */
function noRoom(cause: unknown): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The files of the context cannot be kept in ${tmpdir()}: ${messageOf(cause)}. Make room there, or set TMPDIR to another folder.`,
    userAction: true,
    data: { path: tmpdir() },
    cause,
  });
}

function changed(path: string, before: number, now: number): RlmError {
  return unusable(path, `it had ${before} bytes when it was looked at and has ${now} now`);
}

function unusable(
  path: string,
  why: string,
  code: 'context-not-found' | 'context-invalid' = 'context-invalid',
): RlmError {
  const message = `The file ${path} cannot be used as a context: ${why}.`;
  return new RlmError({ code, message, userAction: true, data: { path } });
}
