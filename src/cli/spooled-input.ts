import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Store, StoredContext } from '../store/index.ts';

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
  const own = await mkdtemp(join(folder, 'fathom-stdin-'));
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

/** Removes standard input that was kept for contexts nobody needs any more. */
export async function removeKeptInput(contexts: readonly StoredContext[], store: Store): Promise<void> {
  const folder = `${inputFolder(store)}${sep}`;
  const paths = contexts.flatMap((context) => {
    if (context.kind === 'file') return [context.path];
    return context.kind === 'files' ? context.documents.map(({ path, file }) => file ?? path) : [];
  });
  for (const path of paths) {
    if (path.startsWith(folder)) await rm(dirname(path), { recursive: true, force: true });
  }
}
