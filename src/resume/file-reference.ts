/**
 * References to the files of contexts, as records of runs and sessions hold them: never their content.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { modifiedOf } from '../context/large/large-file.ts';
import { readAt, sha256OfFile } from '../context/scan-file.ts';
import { RlmError, type RlmErrorCode } from '../errors.ts';
import { openRegular } from '../regular-file.ts';

/** A file as it was when a run began. */
export interface FileReference {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** When it was written to last, in nanoseconds since 1970. */
  readonly modified?: string;
  /** SHA-256 of its bytes in hex; of a file of more than 256 MiB absent. */
  readonly sha256?: string;
  /** SHA-256 in hex of pieces of a larger file, which are spread over it evenly. */
  readonly sample?: string;
}

/**
 * Finds the file of a reference: gives its path now, or undefined where it is still at its own. A file that is found has to
 * have the content of the reference all the same.
 */
export type ResolveFile = (file: FileReference) => string | undefined | Promise<string | undefined>;

/** Bytes from which on a file is known by its size, its time and a sample: to hash 20 GB takes half a minute at each end of a run. */
const SAMPLED_BYTES = 256 * 1024 * 1024;
/** Pieces of a sample, and bytes of each: its beginning and its end are among them. */
const [SAMPLE_PIECES, SAMPLE_BYTES] = [64, 64 * 1024];

/** Hashes of a file. */
export async function fingerprint(path: string, bytes: number): Promise<Pick<FileReference, 'sha256' | 'sample'>> {
  if (bytes <= SAMPLED_BYTES) return { sha256: await sha256OfFile(path) };
  await using handle = await openRegular({ path });
  return { sample: await sampleOf(handle, bytes) };
}

async function sampleOf(handle: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  const step = (bytes - SAMPLE_BYTES) / (SAMPLE_PIECES - 1);
  for (let piece = 0; piece < SAMPLE_PIECES; piece += 1) {
    hash.update(await readAt(handle, Math.floor(piece * step), SAMPLE_BYTES));
  }
  return hash.digest('hex');
}

/**
 * The path of a file that is as its reference says.
 *
 * @throws ContextUnavailable when it is gone or has changed
 */
export async function findFile(file: FileReference, resolve: ResolveFile | undefined): Promise<string> {
  const found = await resolve?.(file);
  const path = found ?? file.path;
  const refuse = (code: 'context-not-found' | 'context-invalid', why: string): ContextUnavailable =>
    new ContextUnavailable({ code, what: `context file ${file.path}`, why, remedy: remedyFor(code) });
  const handle = await openRegular({ path }).catch(() => undefined);
  if (handle === undefined) throw refuse('context-not-found', `the file ${path} is gone`);
  await using open = handle;
  const stats = fstatSync(open.fd, { bigint: true });
  if (Number(stats.size) !== file.bytes)
    throw refuse('context-invalid', `the file ${path} had ${file.bytes} bytes and has ${stats.size} now`);
  const moved = found !== undefined && found !== file.path;
  // A sample shows few changes; the time shows every one, but it is another one where the file was copied to another place.
  if (file.sample !== undefined && !moved && file.modified !== undefined && file.modified !== modifiedOf(stats))
    throw refuse('context-invalid', `the file ${path} was written to since`);
  const changed =
    (file.sha256 !== undefined && (await sha256OfFile(path)) !== file.sha256) ||
    (file.sample !== undefined && (await sampleOf(open, file.bytes)) !== file.sample);
  if (changed) throw refuse('context-invalid', `the content of the file ${path} has changed`);
  return path;
}

function remedyFor(code: 'context-not-found' | 'context-invalid'): string {
  return code === 'context-not-found'
    ? 'Put it back, say where it is now with the option resolveFile, or start a new run'
    : 'Put the file back as it was, say where a copy of it is with the option resolveFile, or start a new run';
}

/** A recorded context that is not available in this process. */
export class ContextUnavailable extends RlmError {
  /** As a clause. */
  readonly why: string;

  constructor(parts: {
    readonly code: RlmErrorCode;
    readonly what: string;
    readonly why: string;
    readonly remedy: string;
  }) {
    const { code, what, why, remedy } = parts;
    super({
      code,
      message: `The run cannot be resumed without its ${what}: ${why}. ${remedy}.`,
      userAction: true,
      data: { context: what },
    });
    this.why = why;
  }
}
