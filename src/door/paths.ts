/**
 * The one rule for which files a door may read for its client: regular files below the folders that the owner of the
 * door gave, and never version control, Fathom's own files, or what usually holds keys, even when it is named.
 *
 * @module
 */
import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { invalidOption } from '../argument-checks.ts';
import type { FileGuard } from '../context/file-guard.ts';
import { isBelow } from '../context/find-files.ts';
import { lookAtFile } from '../context/from-file.ts';
import { namedFiles } from '../context/from-files.ts';
import { type ContextSource, contextSource } from '../context/input.ts';
import { isInternal, isSecret } from '../context/secret-files.ts';
import { messageOf, RlmError } from '../errors.ts';
import { identityOf, identityOfOpen } from '../regular-file.ts';

/** The folders below which a door may read. */
export interface ReadableFolders extends FileGuard {
  /** Absolute, without links. Relative paths start at the first. */
  readonly folders: readonly string[];
}

/** Which folders a door may read. */
export interface ReadableOptions {
  /** At least one. */
  readonly folders: readonly string[];
  /** Files and folders in them that are left out besides: a store, say. */
  readonly except?: readonly string[];
}

/** Where the kernel shows processes, their environments and devices as files. */
const KERNEL_FOLDERS = ['/proc', '/sys', '/dev'];

/** @throws RlmError `invalid-option` for a folder that is missing or is not a folder */
export async function readableFolders({ folders, except = [] }: ReadableOptions): Promise<ReadableFolders> {
  if (folders.length === 0) throw invalidOption('A door that reads paths needs at least one folder');
  const given = folders.map((folder) => resolve(folder));
  const real = await Promise.all(given.map(realFolder));
  const hidden = await Promise.all(except.map((path) => realpath(path).catch(() => resolve(path))));
  const rule: Rule = { folders: real, given, hidden };
  return {
    folders: real,
    checkPath: async (path) => {
      const absolute = resolve(path);
      checkPlace(absolute, absolute, { ...rule, folders: [...real, ...given] });
      checkPlace(await realpath(absolute), absolute, rule);
    },
    checkOpen: ({ fd, path }) => {
      const identity = identityOfOpen(fd);
      checkPlace(placeOfOpen(fd, path, identity), path, rule);
      return identity;
    },
  };
}

/**
 * The part of the folders that lies below other ones as well, with all rules of both; undefined where nothing does. Folders
 * that do not exist are left out.
 */
export async function narrowedFolders(
  readable: ReadableFolders,
  others: readonly string[],
): Promise<ReadableFolders | undefined> {
  const found = await Promise.all(others.map((folder) => realFolder(folder).catch(() => undefined)));
  const common = found.flatMap((other) => {
    if (other === undefined) return [];
    if (readable.folders.some((own) => isBelow(own, other))) return [other];
    return readable.folders.filter((own) => isBelow(other, own));
  });
  if (common.length === 0) return undefined;
  const inner = await readableFolders({ folders: [...new Set(common)] });
  return {
    folders: inner.folders,
    checkPath: async (path) => {
      await readable.checkPath(path);
      await inner.checkPath(path);
    },
    checkOpen: (file) => {
      readable.checkOpen(file);
      return inner.checkOpen(file);
    },
  };
}

async function realFolder(folder: string): Promise<string> {
  try {
    if ((await stat(folder)).isDirectory()) return await realpath(folder);
  } catch (error) {
    throw invalidOption(`The folder ${folder} cannot be read: ${messageOf(error)}`);
  }
  throw invalidOption(`${folder} is not a folder`);
}

/**
 * Files and folders of a client as a context: one file is a text, everything else a list of documents. Relative paths
 * and patterns start at the first folder.
 */
export function readablePaths(paths: readonly string[], readable: ReadableFolders): ContextSource {
  const cwd = readable.folders[0] ?? '.';
  return contextSource(async (room) => {
    const [only] = paths;
    const single = only !== undefined && paths.length === 1 ? resolve(cwd, only) : undefined;
    if (single !== undefined && (await isFile(single, readable)))
      return await lookAtFile(single, { guard: readable }, { room });
    return await namedFiles(paths, new Map(), { cwd, guard: readable }).load(room);
  });
}

/** Everything else is looked at by its own rules: a folder, a pattern, a path that is refused. */
async function isFile(path: string, guard: FileGuard): Promise<boolean> {
  try {
    await guard.checkPath(path);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

interface Rule {
  readonly folders: readonly string[];
  readonly given: readonly string[];
  readonly hidden: readonly string[];
}

/** @param path as the client knows it */
function checkPlace(place: string, path: string, { folders, hidden }: Rule): void {
  const within = folders.filter((folder) => isBelow(folder, place));
  const [nearest] = within.toSorted((a, b) => b.length - a.length);
  if (nearest === undefined) {
    const where = place === path ? 'it lies outside of' : 'it leads out of';
    throw refused(path, `${where} the folders that may be read (${folders.slice(0, SHOWN_FOLDERS).join(', ')})`);
  }
  if (KERNEL_FOLDERS.some((folder) => isBelow(folder, place))) throw refused(path, 'it belongs to the kernel');
  if (hidden.some((one) => isBelow(one, place))) throw refused(path, "it belongs to Fathom's store");
  const names = place.slice(nearest.length).split(sep).filter(Boolean);
  if (names.some(isInternal)) throw refused(path, 'it belongs to version control or to Fathom');
  if (names.some((name) => isSecret(name, true)) || isSecret(names.at(-1) ?? '', false)) {
    throw refused(path, 'files of that name usually hold keys or passwords');
  }
}

/** Folders that a message names. */
const SHOWN_FOLDERS = 8;

/** Where an open file lies. Linux knows; elsewhere its path is resolved once more and has to lead to the same file. */
function placeOfOpen(fd: number, path: string, identity: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    const place = realpathSync.native(path);
    if (identityOf(lstatSync(place, { bigint: true })) === identity) return place;
    throw refused(path, 'it changed while it was opened');
  }
}

function refused(path: string, why: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The path ${path} cannot be read: ${why}.`,
    userAction: true,
    data: { path, param: 'paths' },
  });
}
