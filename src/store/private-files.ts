/**
 * Folders and files of a store that are certain to be this user's own. A store may come with a project that another
 * person made, so every path is looked at before it is used: nothing in the folder leads to a file elsewhere.
 *
 * @module
 */
import { chmodSync, lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs';
import { StoreError } from './store-error.ts';

/** `write`: wrong modes are repaired. `look`: nothing is changed. */
export type PathUse = 'write' | 'look';

/** Why a folder or file of a store is not used. */
export type Refusal = 'link' | 'kind' | 'owner' | 'hard-links' | 'mode' | 'journal';

/** Makes a folder that only this user may enter, or checks the one that is there. @throws StoreError */
export function privateFolder(path: string): void {
  if (checkFolder(path, 'write')) return;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process made it in between.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  checkFolder(path, 'write');
}

/** Whether the folder is there. @throws StoreError when it is not a folder of this user */
export function checkFolder(path: string, use: PathUse): boolean {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return false;
  checkKind(path, facts, facts.isDirectory());
  checkOwner(path, facts, use);
  return true;
}

/** Whether the file is there. @throws StoreError when it is not a plain file of this user, or has other names as well */
export function checkFile(path: string, use: PathUse): boolean {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return false;
  checkKind(path, facts, facts.isFile());
  if (facts.nlink > 1) {
    throw refused(path, 'hard-links', `has ${facts.nlink} hard links, so that writing to it would change another file`);
  }
  checkOwner(path, facts, use);
  return true;
}

/** An error that says why a path of a store is not used. */
export function refused(path: string, refusal: Refusal, why: string): StoreError {
  return new StoreError({
    message: `The store is not used: ${path} ${why}. Remove it, or use another folder.`,
    userAction: true,
    data: { path, refused: refusal },
  });
}

/** Deletes a file or a link by name, and nothing else: a folder of that name stays. */
export function removeFile(path: string): void {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined || facts.isDirectory()) return;
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function checkKind(path: string, facts: Stats, right: boolean): void {
  if (facts.isSymbolicLink()) throw refused(path, 'link', 'is a link, and a store follows no links');
  if (!right) throw refused(path, 'kind', 'is of another kind than a store makes it');
}

function checkOwner(path: string, { uid, mode }: Stats, use: PathUse): void {
  const user = process.geteuid?.();
  if (user === undefined) return; // Windows has neither owners of this kind nor modes.
  if (uid !== user) throw refused(path, 'owner', `belongs to user ${uid}, and this process runs as user ${user}`);
  if ((mode & 0o077) === 0 || use === 'look') return;
  try {
    chmodSync(path, mode & 0o700);
  } catch (error) {
    throw refused(path, 'mode', `can be read by others, and that cannot be changed (${codeOf(error)})`);
  }
  // Some file systems accept a mode and keep none.
  if ((lstatSync(path).mode & 0o077) === 0) return;
  throw refused(path, 'mode', 'can be read by others: its file system keeps no modes');
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}
