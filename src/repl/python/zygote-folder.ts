import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'fathom-zygote-';
/** Milliseconds after which a folder without a listener counts as left behind, not as just being set up. */
const STALE_MS = 60_000;

let tidied = false;

/** A folder that only this user can enter: the zygote's socket, and where it builds its root. */
export async function makeZygoteFolder(): Promise<string> {
  if (!tidied) {
    tidied = true;
    removeStaleFolders().catch(() => {});
  }
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  await mkdir(join(folder, 'root'));
  await mkdir(join(folder, 'repls'));
  return folder;
}

/**
 * Removes folders of zygotes that have ended. A launcher removes its own; it cannot when it was killed together with
 * its host.
 */
export async function removeStaleFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (name.startsWith(PREFIX) && (await isStale(folder))) await rm(folder, { recursive: true, force: true });
  }
}

async function isStale(folder: string): Promise<boolean> {
  const info = await lstat(folder).catch(() => undefined);
  if (info?.isDirectory() !== true || info.uid !== process.getuid?.() || Date.now() - info.mtimeMs < STALE_MS)
    return false;
  return new Promise((resolve) => {
    const socket = net.connect({ path: join(folder, 'socket') });
    socket.unref();
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT'),
    );
  });
}
