/**
 * The folder for files that are built once and kept between runs. They contain code that runs before a REPL locks its
 * walls, so only this user and root may write to the folder or replace it.
 *
 * @module
 */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, type Stats } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { messageOf } from '../errors.ts';

/** Where things are kept. */
export interface CacheFolder {
  readonly path: string;
  /** Why the wanted folder is not used: then `path` goes with this process, and everything is made again by the next. */
  readonly refused?: string;
}

let temporary: string | undefined;

/** The path of {@link findCacheFolder}. */
export function cacheFolder(wanted?: string): string {
  return findCacheFolder(wanted).path;
}

/**
 * A folder that belongs to this user alone: `wanted`, `FATHOM_CACHE_DIR`, or `fathom-rlm` in the user's cache folder. It is
 * made with mode 0700, and one of this user's own that others may read is brought to that. When it cannot be trusted, a
 * private folder that goes with this process, with the reason.
 */
export function findCacheFolder(wanted?: string): CacheFolder {
  const folder = wanted ?? process.env.FATHOM_CACHE_DIR ?? join(userCache(), 'fathom-rlm');
  const refused = whyNot(folder);
  return refused === undefined ? { path: folder } : { path: privateTemporary(), refused };
}

function userCache(): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  if (process.platform === 'win32' && local !== undefined) return local;
  return process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache');
}

/** Makes or repairs the folder. Why it cannot be used, in words. */
function whyNot(folder: string): string | undefined {
  if (!isAbsolute(folder)) return `${folder} is not an absolute path`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const user = process.geteuid?.();
    return user === undefined ? undefined : (whyNotAbove(folder, user) ?? whyNotItself(folder, user));
  } catch (error) {
    return `${folder} cannot be made: ${messageOf(error)}`;
  }
}

/** A user who may write to a folder above could put another one in its place, unless that folder has the sticky bit. */
function whyNotAbove(folder: string, user: number): string | undefined {
  for (const above of new Set([...foldersAbove(folder), ...foldersAbove(realpathSync(folder))])) {
    const facts = lstatSync(above);
    if (facts.uid !== user && facts.uid !== 0) return `${above}, above ${folder}, belongs to user ${facts.uid}`;
    const open = (facts.mode & 0o022) !== 0 && (facts.mode & 0o1000) === 0;
    if (open && !facts.isSymbolicLink()) return `${above}, above ${folder}, can be written by others`;
  }
  return undefined;
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

function whyNotItself(folder: string, user: number): string | undefined {
  const facts = lstatSync(folder);
  if (!facts.isDirectory()) return `${folder} is a link`;
  if (facts.uid !== user) return `${folder} belongs to user ${facts.uid}`;
  if ((facts.mode & 0o077) === 0) return undefined;
  if ((facts.mode & 0o002) !== 0) return `${folder} can be written by every user, so its files may be another user's`;
  // A group that may write is that of this user alone on many systems; whether it was is seen by the content.
  if ((facts.mode & 0o020) !== 0 && !holdsOnlyOwn(folder, user)) return `${folder} holds files of other users`;
  chmodSync(folder, 0o700);
  return (lstatSync(folder).mode & 0o077) === 0 ? undefined : `${folder} is on a file system without modes`;
}

function holdsOnlyOwn(folder: string, user: number): boolean {
  const isOwn = (facts: Stats): boolean => facts.uid === user && (facts.isDirectory() || facts.nlink === 1);
  return readdirSync(folder).every((name) => {
    const facts = lstatSync(join(folder, name));
    if (!isOwn(facts) || facts.isSymbolicLink()) return false;
    return !facts.isDirectory() || holdsOnlyOwn(join(folder, name), user);
  });
}

function privateTemporary(): string {
  if (temporary === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-rlm-'));
    temporary = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return temporary;
}
