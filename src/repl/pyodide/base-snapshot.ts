/**
 * The base snapshot: memory of an interpreter that has booted and imported the guest, made once per Pyodide build,
 * Node version and guest, and checked each time before it is loaded. No cell has run in it but those of the guest's own
 * rehearsal (`fathom_pyodide/rehearse.py`).
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, RlmError } from '../../errors.ts';
import type { Installation } from './installation.ts';
import { type OwnedFile, own } from './owned-file.ts';
import { FD } from './worker/protocol.ts';
import type { WorkerCode } from './worker-code.ts';
import { startWorker, type WorkerHandle } from './worker-handle.ts';

/** A snapshot ready to hand to workers. */
export interface BaseSnapshot {
  readonly file: OwnedFile;
  readonly bytes: number;
}

export interface BaseSnapshotRequest {
  readonly installation: Installation;
  readonly code: WorkerCode;
  readonly node: string;
  readonly cache: string;
  /** Called before it is made, which takes seconds. */
  readonly onMake?: () => void;
}

/** Opens the snapshot, from the cache or freshly made. @throws RlmError `repl-failure` */
export async function openBaseSnapshot(request: BaseSnapshotRequest): Promise<BaseSnapshot> {
  const path = join(request.cache, `base-${keyOf(request)}.bin`);
  const cached = openChecked(path);
  if (cached !== undefined) return cached;
  request.onMake?.();
  await make(request, path);
  const made = openChecked(path);
  if (made === undefined) {
    throw new RlmError({ code: 'repl-failure', message: `The base snapshot ${path} changed right after it was made.` });
  }
  return made;
}

function keyOf({ installation, node }: BaseSnapshotRequest): string {
  const version = node === process.execPath ? process.version : execFileSync(node, ['--version'], { encoding: 'utf8' });
  return createHash('sha256')
    .update(`${installation.digest}\0${version.trim()}\0${process.arch}`)
    .digest('hex')
    .slice(0, 32);
}

/** The file behind a path if it is whole: the digest beside it is of the bytes that workers will read. */
function openChecked(path: string): BaseSnapshot | undefined {
  let fd: number;
  let digest: string;
  try {
    digest = readFileSync(`${path}.sha256`, 'utf8').trim();
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  const { hex, bytes } = digestOf(fd);
  if (hex === digest && bytes > 0) return { file: own(fd), bytes };
  closeSync(fd);
  return undefined;
}

function digestOf(fd: number): { hex: string; bytes: number } {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(4 * 1024 * 1024);
  let bytes = 0;
  for (let got = readSync(fd, chunk, 0, chunk.length, 0); got > 0; got = readSync(fd, chunk, 0, chunk.length, bytes)) {
    hash.update(chunk.subarray(0, got));
    bytes += got;
  }
  return { hex: hash.digest('hex'), bytes };
}

async function make(request: BaseSnapshotRequest, path: string): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  const fd = openSync(fresh, 'wx+', 0o600);
  try {
    const worker = bakingWorker(request, fd);
    const { bytes = 0 } = await worker.busy(() => worker.ready);
    await worker.busy(() => worker.ended);
    worker.release();
    fsyncSync(fd);
    const digest = digestOf(fd);
    if (digest.bytes !== bytes) throw new Error(`${digest.bytes} of ${bytes} bytes were written`);
    writeFileSync(`${fresh}.sha256`, `${digest.hex}\n`, { mode: 0o600 });
    renameSync(`${fresh}.sha256`, `${path}.sha256`);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new RlmError({
      code: 'repl-failure',
      message: `The base snapshot of the pyodide REPL could not be made: ${messageOf(error)}`,
      cause: error,
    });
  } finally {
    closeSync(fd);
  }
}

function bakingWorker({ installation, code, node }: BaseSnapshotRequest, fd: number): WorkerHandle {
  const worker = startWorker({
    node,
    script: code.main,
    readable: [...installation.readable, code.folder],
    level: 'process',
    descriptors: { [FD.base]: fd },
  });
  const files = installation.guestFiles.map(({ path, text }) => ({ path, bytes: text.length }));
  const { pyodideUrl: pyodideDir, bashUrl } = installation;
  worker.boot(
    { mode: 'bake', pyodideDir, bashUrl, baseBytes: 0, files, open: [] },
    installation.guestFiles.map((file) => file.text),
  );
  return worker;
}
