import type { FileCopy, KeepCopy } from '../copies.ts';
import { excludeRules } from '../ignore-rules.ts';
import { type ContextSource, contextSource } from '../input.ts';
import { LeftOut } from '../left-out.ts';
import { isInternal, isSecret } from '../secret-files.ts';
import { GIT_TREE_BYTES, GIT_TREE_FILES } from '../source-limits.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar.ts';
import { contents, findObject, type GitUse, notFound, type TreeEntry, treeEntries, unreadable } from './git-objects.ts';

/** The beginning of a source that names a revision. */
const PREFIX = 'git:';

/** A tree or a file of a revision, copied out of the repository. */
export interface GitCopy extends FileCopy {
  /** It is an archive of several files. */
  readonly tree: boolean;
  /** Adds to a context that is made of the copy which files are not in it. */
  readonly annotate: (source: ContextSource) => ContextSource;
}

export interface GitRequest extends GitUse {
  readonly keep: KeepCopy;
  readonly exclude: readonly string[];
  /** Default: {@link GIT_TREE_FILES}. */
  readonly maxFiles?: number;
  /** Default: {@link GIT_TREE_BYTES}. */
  readonly maxBytes?: number;
}

/** Whether a source names a revision: `git:REV`, `git:REV:path`. */
export function isGitSource(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** A revision as a source: `git:REV`. */
export function gitSource(revision: string): string {
  return PREFIX + revision;
}

/**
 * Copies a file, or the files of a tree as a tar archive. Only objects are read: the working tree and its attributes do not
 * matter.
 *
 * @throws RlmError `context-not-found`, `context-invalid`
 */
export async function copyFromGit(request: GitRequest): Promise<GitCopy> {
  const { source, keep, signal, maxBytes = GIT_TREE_BYTES } = request;
  const name = source.slice(PREFIX.length);
  // A line is one request to git; a revision that begins with a colon is of the index.
  if (name === '' || /^[-:]|\p{Cc}/u.test(name)) throw notFound(source, 'git:REV and git:REV:PATH name a revision');
  const { hash, type, bytes } = await findObject([`${name}^{tree}`, name], request);
  if (type !== 'tree' && type !== 'blob') throw unreadable(source, `it is a ${type}, not a folder or a file`);
  if (bytes > maxBytes) throw tooLarge(request);
  const leftOut = new LeftOut();
  const pieces = type === 'tree' ? archived(await wanted(hash, leftOut, request), request) : plain(hash, request);
  const copy = await keep(pieces, signal);
  const note = leftOut.note();
  const annotate = (made: ContextSource): ContextSource =>
    note === undefined
      ? made
      : contextSource(async (room) => {
          const loaded = await made.load(room);
          return { ...loaded, notes: [...(loaded.notes ?? []), { ...note, text: `${source}: ${note.text}` }] };
        });
  return { ...copy, tree: type === 'tree', annotate };
}

/** The files that a folder would have, as far as their names decide it. */
async function wanted(tree: string, leftOut: LeftOut, request: GitRequest): Promise<readonly TreeEntry[]> {
  const { source, maxFiles = GIT_TREE_FILES, maxBytes = GIT_TREE_BYTES } = request;
  const excluded = excludeRules(request.exclude, '/');
  const found: TreeEntry[] = [];
  let entries = 0;
  let bytes = 0;
  for await (const entry of treeEntries(tree, request)) {
    entries += 1;
    if (entries > maxFiles) throw tooLarge(request);
    const { mode, path } = entry;
    const parts = path.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..'))
      throw unreadable(source, `the name ${JSON.stringify(path)} leads out of its tree`);
    if (parts.some(isInternal)) continue;
    const name = parts.at(-1) ?? '';
    if (isSecret(name, false) || parts.slice(0, -1).some((part) => isSecret(part, true))) leftOut.add('secret', path);
    else if (excluded.ignores(`/${path}`, false)) leftOut.add('excluded', path);
    else if (mode === '120000') leftOut.add('link', path);
    else if (!mode.startsWith('100')) leftOut.add('special', path);
    else {
      bytes += entry.bytes;
      found.push(entry);
      if (bytes > maxBytes) throw tooLarge(request);
    }
  }
  const left = leftOut.total === 0 ? '' : `; left out: ${leftOut.words()}`;
  if (found.length === 0) throw notFound(source, `it holds no file that is wanted${left}`);
  return found;
}

/** Pieces of a tar archive, which is the same for the same tree. */
async function* archived(entries: readonly TreeEntry[], use: GitUse): AsyncGenerator<Buffer> {
  const hashes = entries.map(({ hash }) => hash);
  let at = 0;
  let padding = Buffer.alloc(0);
  for await (const part of contents(hashes, use)) {
    if (Buffer.isBuffer(part)) {
      yield part;
      continue;
    }
    const entry = entries[at++];
    if (entry?.hash !== part.hash) throw unreadable(use.source, `git gave the object ${part.hash} out of order`);
    yield Buffer.concat([padding, tarHeader(entry.path, part.bytes)]);
    padding = tarPadding(part.bytes);
  }
  if (at < entries.length) throw unreadable(use.source, `git gave ${at} of ${entries.length} files`);
  yield Buffer.concat([padding, tarEnd()]);
}

async function* plain(hash: string, use: GitUse): AsyncGenerator<Buffer> {
  for await (const part of contents([hash], use)) if (Buffer.isBuffer(part)) yield part;
}

function tooLarge({ source, maxFiles = GIT_TREE_FILES, maxBytes = GIT_TREE_BYTES }: GitRequest): Error {
  const bounds = `${maxFiles} files, or ${maxBytes} bytes`;
  return unreadable(source, `it holds more than ${bounds}: name a folder in it, git:REV:PATH`);
}
