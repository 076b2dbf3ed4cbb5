import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { keptOf } from '../session/stored-session.ts';
import type { Store, StoredContext } from '../store/index.ts';

const FOLDER_PREFIX = 'fathom-stdin-';

/** Standard input in a file. */
export interface SpooledInput {
  readonly path: string;
  readonly dispose: () => Promise<void>;
}

/** Standard input in a file of `folder` only its owner can read: contexts reach the REPL as files, whatever their size. */
export async function spoolInput(
  stdin: NodeJS.ReadableStream,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<SpooledInput> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const own = await mkdtemp(join(folder, FOLDER_PREFIX));
  const dispose = (): Promise<void> => rm(own, { recursive: true, force: true });
  const path = join(own, 'stdin');
  try {
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }), { ...(signal !== undefined && { signal }) });
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
  const kept = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(FOLDER_PREFIX));
  if (kept.length === 0) return;
  const needed = new Set((await neededContexts(store)).flatMap(pathsOf).map(dirname));
  for (const name of kept) {
    const path = join(folder, name);
    if (!needed.has(path)) await rm(path, { recursive: true, force: true });
  }
}

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
