/**
 * The folder where things made once are kept between runs: nobody else's to write, never below the working directory
 * by accident.
 *
 * @module
 */
import { lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

let temporary: string | undefined;

/**
 * A folder that belongs to this user alone: `wanted`, or the user's cache folder; when neither can be trusted, a
 * private folder that goes with this process.
 */
export function cacheFolder(wanted?: string): string {
  const given = wanted ?? process.env.FATHOM_CACHE_DIR;
  for (const folder of given === undefined ? [join(userCache(), 'fathom-rlm')] : [given]) {
    if (isAbsolute(folder) && isPrivate(folder)) return folder;
  }
  return privateTemporary();
}

function userCache(): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  if (process.platform === 'win32' && local !== undefined) return local;
  return process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache');
}

/** Makes the folder if need be. False for a link, a folder of someone else's, or one that others may write to. */
function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOurs(folder, 0o077)) return false;
    // Whoever may write to the folder above could put another in its place, unless that has the sticky bit.
    const parent = lstatSync(dirname(folder));
    return process.platform === 'win32' || (parent.mode & 0o022) === 0 || (parent.mode & 0o1000) !== 0;
  } catch {
    return false;
  }
}

function isOurs(path: string, forbidden: number): boolean {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return false;
  const uid = process.getuid?.();
  return uid === undefined || (stat.uid === uid && (stat.mode & forbidden) === 0);
}

function privateTemporary(): string {
  if (temporary === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-rlm-'));
    temporary = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return temporary;
}
