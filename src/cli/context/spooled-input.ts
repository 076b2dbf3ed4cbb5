import { constants, createWriteStream, openSync } from 'node:fs';
import { mkdtemp, open, readdir, rmdir, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ulid } from 'ulid';
import type { FileCopy, KeepCopy } from '../../context/copies.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { storedConfig } from '../../session/stored-session.ts';
import type { Store, StoredContext, StoreLock } from '../../store/index.ts';
import { processInWords } from '../../store/lock-owner.ts';
import { checkFolder, privateFolder, removeFile } from '../../store/private-files.ts';

const FOLDER_PREFIX = 'fathom-stdin-';
/** Folders that are made here, and those of version 0.1. */
const SPOOLED = /^fathom-stdin-(?:[0-9A-HJKMNP-TV-Z]{26}|[A-Za-z0-9]{6})$/;
const INPUT_FILE = 'stdin';

/** Bytes of a pipe that are kept: more than any REPL holds, and an end of pipes that have none. */
export const SPOOL_BYTES: number = 8 * 1024 ** 3;

/**
 * Standard input in a file that only its owner can read: contexts reach the REPL as files, whatever their size.
 *
 * @param store where it is kept, for runs and sessions that need it again. Default: the folder for temporary files
 * @throws StoreError when the folder is not this user's own
 */
export async function spoolInput(
  stdin: NodeJS.ReadableStream,
  store: Store | undefined,
  signal: AbortSignal | undefined,
): Promise<FileCopy> {
  const { own, release } = store === undefined ? { own: await temporary(), release: nothing } : await keptIn(store);
  const dispose = async (): Promise<void> => {
    await removeSpooled(own);
    release();
  };
  const path = join(own, INPUT_FILE);
  try {
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    await pipeline(stdin, atMost(SPOOL_BYTES), file, { ...(signal !== undefined && { signal }) });
    return { path, dispose };
  } catch (error) {
    await dispose();
    throw isOfFile(error) ? cannotKeep(own, error) : error;
  }
}

/** Keeps copies where standard input is kept: a run that is resumed finds them. */
export function spoolPieces(store: Store | undefined): KeepCopy {
  return (pieces, signal) => spoolInput(Readable.from(pieces, { objectMode: false }), store, signal);
}

/** Passes bytes on, up to a number of them. */
export function atMost(bytes: number): (source: AsyncIterable<string | Buffer>) => AsyncGenerator<string | Buffer> {
  return async function* (source) {
    let passed = 0;
    for await (const piece of source) {
      passed += Buffer.byteLength(piece);
      if (passed > bytes) throw tooLong(bytes);
      yield piece;
    }
  };
}

function tooLong(bytes: number): RlmError {
  return new RlmError({
    code: 'context-length',
    message: `More than ${bytes} bytes came from the pipe, more than a REPL can hold. Save them to a file, and give a part of it.`,
    userAction: true,
    data: { bytes },
  });
}

/** The disk is full, or the folder cannot be written to. */
function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return UNWRITABLE.has(String((error as NodeJS.ErrnoException).code));
}

const UNWRITABLE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'ENOENT', 'ENOTDIR', 'EFBIG']);

function cannotKeep(folder: string, cause: NodeJS.ErrnoException): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The piped input cannot be kept in ${folder}: ${cause.message}. Make room there, or set TMPDIR or --store to another folder.`,
    userAction: true,
    data: { path: folder },
    cause,
  });
}

/**
 * A pipe with a name, or a file of the kernel, in a file of its own: they can be read once, and from their beginning only.
 *
 * @throws RlmError `context-invalid` when it cannot be read
 */
export async function spoolFile(
  path: string,
  store: Store | undefined,
  signal: AbortSignal | undefined,
): Promise<FileCopy> {
  try {
    // Opened before anything is made for it: what fails here is the file, not the folder it is copied to.
    return await spoolInput(await openSource(path), store, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).path !== path) throw error;
    throw new RlmError({
      code: 'context-invalid',
      message: `The context file ${path} cannot be read: ${messageOf(error)}.`,
      userAction: true,
      data: { path },
      cause: error,
    });
  }
}

async function openSource(path: string): Promise<NodeJS.ReadableStream> {
  if (process.platform !== 'linux' || !(await stat(path)).isFIFO()) return (await open(path, 'r')).createReadStream();
  // Opening a named pipe, and reading it, blocks a thread until there is a writer: no signal would end the command.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

async function temporary(): Promise<string> {
  return await mkdtemp(join(tmpdir(), FOLDER_PREFIX)).catch((error: unknown) => {
    throw isOfFile(error) ? cannotKeep(tmpdir(), error) : error;
  });
}

/** A new folder in a store. It is locked while this process may need it: no other one removes it. */
async function keptIn(store: Store): Promise<{ readonly own: string; readonly release: () => void }> {
  const folder = inputFolder(store);
  privateFolder(folder);
  const name = `${FOLDER_PREFIX}${ulid()}`;
  const locked = await lockInput(name, store);
  const own = join(folder, name);
  privateFolder(own);
  return { own, release: locked?.release ?? nothing };
}

async function lockInput(name: string, store: Store): Promise<StoreLock | undefined> {
  const result = await store.lock(`input ${name}`, processInWords());
  return result.ok ? result.lock : undefined;
}

function nothing(): void {}

/** Where a store keeps standard input of runs and sessions that may need it again. */
export function inputFolder({ location }: Store): string {
  return join(location, 'stdin');
}

/** Removes kept standard input that no run which can continue, and no session which is open, needs any more. */
export async function sweepInput(store: Store): Promise<void> {
  // A store in memory has no folder.
  if (!isAbsolute(store.location)) return;
  const folder = inputFolder(store);
  if (!checkFolder(folder, 'look')) return;
  const kept = (await readdir(folder)).filter((name) => SPOOLED.test(name));
  for (const name of kept) {
    const lock = await lockInput(name, store);
    // A living process has it.
    if (lock === undefined) continue;
    const path = join(folder, name);
    try {
      // Only now: its process has recorded by whom it is needed before it ended.
      if (!(await isNeeded(path, store))) await removeSpooled(path);
    } finally {
      lock.release();
    }
  }
}

async function isNeeded(folder: string, store: Store): Promise<boolean> {
  const contexts = await neededContexts(store);
  return contexts.flatMap(pathsOf).some((path) => dirname(path) === folder);
}

/** Removes the one file that was spooled and its folder; a folder that holds anything else stays. */
async function removeSpooled(folder: string): Promise<void> {
  if (!checkFolder(folder, 'look')) return;
  removeFile(join(folder, INPUT_FILE));
  await rmdir(folder).catch((error: unknown) => {
    if (!STAYS.has(String((error as NodeJS.ErrnoException).code))) throw error;
  });
}

/** It holds something else, or another process removed it. */
const STAYS: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT']);

async function neededContexts(store: Store): Promise<readonly StoredContext[]> {
  const limit = 1_000_000;
  const runs = await store.runs.list({ status: ['queued', 'running', 'interrupted', 'paused'], limit });
  const sessions = await store.sessions.list({ state: ['initializing', 'ready', 'executing', 'paused'], limit });
  const inSessions = await Promise.all(sessions.map(({ id }) => store.runs.list({ sessionId: id, limit })));
  return [
    ...[...runs, ...inSessions.flat()].flatMap(({ request }) => request.contexts),
    ...sessions.flatMap((session) => storedConfig(session).contexts),
  ];
}

function pathsOf(context: StoredContext): readonly string[] {
  if (context.kind === 'file') return [context.path];
  return context.kind === 'files' ? context.documents.map(({ path, file }) => file ?? path) : [];
}
