import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { keptOf } from '../session/stored-session.ts';
import type { Store, StoredContext } from '../store/index.ts';
import { checkFolder, privateFolder, removeFile } from '../store/private-files.ts';

const FOLDER_PREFIX = 'fathom-stdin-';
/** Folders that `mkdtemp` made here. */
const SPOOLED = /^fathom-stdin-[A-Za-z0-9]{6}$/;
const INPUT_FILE = 'stdin';

/** Standard input in a file. */
export interface SpooledInput {
  readonly path: string;
  readonly dispose: () => Promise<void>;
}

/**
 * Standard input in a file that only its owner can read: contexts reach the REPL as files, whatever their size.
 *
 * @param folder a store's own. Default: the folder for temporary files
 * @throws StoreError when the folder is not this user's own
 */
export async function spoolInput(
  stdin: NodeJS.ReadableStream,
  folder: string | undefined,
  signal: AbortSignal | undefined,
): Promise<SpooledInput> {
  if (folder !== undefined) privateFolder(folder);
  const own = await mkdtemp(join(folder ?? tmpdir(), FOLDER_PREFIX));
  const dispose = (): Promise<void> => removeSpooled(own);
  const path = join(own, INPUT_FILE);
  try {
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    await pipeline(stdin, file, { ...(signal !== undefined && { signal }) });
    return { path, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Where a store keeps standard input of runs and sessions that may need it again. */
export function inputFolder({ location }: Store): string {
  return join(location, 'stdin');
}

/** Removes kept standard input that no run which can go on, and no session which is open, needs any more. */
export async function sweepInput(store: Store): Promise<void> {
  // A store in memory has no folder.
  if (!isAbsolute(store.location)) return;
  const folder = inputFolder(store);
  if (!checkFolder(folder, 'look')) return;
  const kept = (await readdir(folder)).filter((name) => SPOOLED.test(name));
  if (kept.length === 0) return;
  const needed = new Set((await neededContexts(store)).flatMap(pathsOf).map(dirname));
  for (const name of kept) {
    const path = join(folder, name);
    if (!needed.has(path)) await removeSpooled(path);
  }
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
  const runs = await store.runs.list({ status: ['running', 'interrupted', 'paused'], limit });
  const sessions = await store.sessions.list({ state: ['initializing', 'ready', 'executing', 'paused'], limit });
  const inSessions = await Promise.all(sessions.map(({ id }) => store.runs.list({ sessionId: id, limit })));
  return [
    ...[...runs, ...inSessions.flat()].flatMap(({ request }) => request.contexts),
    ...sessions.flatMap((session) => keptOf(session).contexts),
  ];
}

function pathsOf(context: StoredContext): readonly string[] {
  if (context.kind === 'file') return [context.path];
  return context.kind === 'files' ? context.documents.map(({ path, file }) => file ?? path) : [];
}
