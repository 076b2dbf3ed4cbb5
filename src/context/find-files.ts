/**
 * Files of a folder: every one is found, or reported as left out. Nothing outside the folder is followed into.
 *
 * @module
 */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { messageOf, RlmError } from '../errors.ts';
import { excludeRules, IgnoreRules, rulesAbove } from './ignore-rules.ts';
import type { LeftOut } from './left-out.ts';
import { isInternal, isSecret } from './secret-files.ts';

/** A file that was found. */
export interface FoundFile {
  /** Absolute, by the name it was found under. */
  readonly path: string;
  /** Without links. */
  readonly real: string;
}

/** How a folder is walked. */
export interface Walk {
  readonly root: string;
  /** Whether a file is wanted, by its path below the root, with `/`. */
  readonly wants: (inside: string) => boolean;
  /** Patterns of files to leave out, relative to `cwd`. */
  readonly exclude: readonly string[];
  readonly cwd: string;
  /** `.gitignore`, `.ignore`, `.fathomignore` and `node_modules` count. */
  readonly ignoreFiles: boolean;
  readonly leftOut: LeftOut;
}

/** Folders that hold copies of other projects. */
const VENDORED: ReadonlySet<string> = new Set(['node_modules']);
/** Nested deeper than file systems of people go: a guard against folders made to exhaust the walk. */
const MAX_FOLDER_DEPTH = 200;

/** @throws RlmError `context-invalid` when the root itself cannot be read */
export async function findFiles(walk: Walk): Promise<readonly FoundFile[]> {
  const state: State = {
    ...walk,
    realRoot: await realpath(walk.root),
    // Outside of the working directory patterns are relative to the folder that was named.
    ...excludedBelow(isBelow(walk.cwd, walk.root) ? walk.cwd : walk.root, walk.exclude),
    found: [],
    links: [],
  };
  const rules = walk.ignoreFiles ? await rulesAbove(state.realRoot) : new IgnoreRules();
  await walkFolder(state, { path: walk.root, real: state.realRoot, inside: '', rules, depth: 0 });
  for (const link of state.links) await followLink(state, link);
  return state.found;
}

function excludedBelow(folder: string, patterns: readonly string[]): Pick<State, 'cwd' | 'excluded'> {
  return { cwd: folder, excluded: excludeRules(patterns, folder) };
}

interface State extends Walk {
  readonly realRoot: string;
  readonly excluded: IgnoreRules;
  readonly found: FoundFile[];
  /** Links are looked at last: what they lead to may have been found by its own name. */
  readonly links: FoundFile[];
}

interface Folder extends FoundFile {
  /** Its path below the root with `/` at its end; empty for the root. */
  readonly inside: string;
  readonly rules: IgnoreRules;
  readonly depth: number;
}

async function walkFolder(state: State, folder: Folder): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder.path, { withFileTypes: true });
  } catch (error) {
    if (folder.depth === 0) throw unreadableFolder(folder.path, error);
    state.leftOut.add('unreadable', folder.inside);
    return;
  }
  const rules = state.ignoreFiles ? await folder.rules.within(folder.real) : folder.rules;
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const here = { ...folder, rules };
  for (const entry of entries) await visit(state, here, entry);
}

/** `join` of a folder's own path and a name in it, which asks nothing of either: it is called for every file. */
function below(folder: string, name: string): string {
  return folder.endsWith(sep) ? folder + name : folder + sep + name;
}

async function visit(state: State, folder: Folder, entry: Dirent): Promise<void> {
  const { name } = entry;
  if (isInternal(name)) return;
  const path = below(folder.path, name);
  const real = below(folder.real, name);
  const isFolder = entry.isDirectory();
  const inside = folder.inside + name;
  if (!isFolder && !state.wants(inside)) return;
  const reason = whyLeftOut({ state, rules: folder.rules, path, real, name, isFolder });
  if (reason !== undefined) {
    state.leftOut.add(reason, isFolder ? `${inside}/` : inside);
  } else if (isFolder) {
    if (folder.depth >= MAX_FOLDER_DEPTH) state.leftOut.add('unreadable', `${inside}/`);
    else await walkFolder(state, { path, real, inside: `${inside}/`, rules: folder.rules, depth: folder.depth + 1 });
  } else if (entry.isSymbolicLink()) {
    state.links.push({ path, real });
  } else if (entry.isFile()) {
    state.found.push({ path, real });
  } else {
    state.leftOut.add('special', inside);
  }
}

function whyLeftOut(entry: {
  readonly state: State;
  readonly rules: IgnoreRules;
  readonly path: string;
  readonly real: string;
  readonly name: string;
  readonly isFolder: boolean;
}): 'secret' | 'ignored' | 'excluded' | undefined {
  const { state, rules, path, real, name, isFolder } = entry;
  if (isSecret(name, isFolder)) return 'secret';
  if (state.excluded.ignores(path, isFolder)) return 'excluded';
  if (!state.ignoreFiles) return undefined;
  return (isFolder && VENDORED.has(name)) || rules.ignores(real, isFolder) ? 'ignored' : undefined;
}

/** A file behind a link is taken where it lies below the root; a folder there is found by its own name. */
async function followLink(state: State, link: FoundFile): Promise<void> {
  const real = await realpath(link.path).catch(() => undefined);
  const facts = real === undefined ? undefined : await stat(real).catch(() => undefined);
  const within = real !== undefined && isBelow(state.realRoot, real);
  if (real === undefined || facts === undefined || !within) {
    state.leftOut.add('link', shown(state, link.path));
  } else if (isSecret(real.slice(real.lastIndexOf(sep) + 1), false)) {
    state.leftOut.add('secret', shown(state, link.path));
  } else if (facts.isFile()) {
    state.found.push({ path: link.path, real });
  } else if (!facts.isDirectory()) {
    state.leftOut.add('special', shown(state, link.path));
  }
}

/** Whether a path is a folder's own, or below it. */
export function isBelow(folder: string, path: string): boolean {
  if (path.startsWith(folder) && path[folder.length] === sep) return true;
  const inside = relative(folder, path);
  return inside === '' || !/^\.\.($|[/\\])/.test(inside);
}

function shown({ root }: State, path: string): string {
  const inside = relative(root, path).split(sep).join('/');
  return path.endsWith('/') ? `${inside}/` : inside;
}

function unreadableFolder(path: string, error: unknown): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The context folder ${path} cannot be read: ${messageOf(error)}.`,
    userAction: true,
    data: { path },
    cause: error,
  });
}
