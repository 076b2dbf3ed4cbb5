import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { mapBounded } from '../map-bounded.ts';
import type { DocumentValue } from '../repl/port.ts';
import { createTimeSlices } from '../time-slices.ts';
import { documentsContext } from './documents.ts';
import { examine, type FileLook, type FileOptions, isBinaryRefusal } from './examine-file.ts';
import type { Guarded } from './file-guard.ts';
import { checkFileOptions, checkPath, whyNoPath, wrongArgument } from './file-options.ts';
import { bytesNote, notesOf } from './file-words.ts';
import { type FoundFile, findFiles, isBelow } from './find-files.ts';
import { onFile } from './from-file.ts';
import { pathBelow } from './ignore-rules.ts';
import { type ContextNote, type ContextSource, contextSource, type LoadedContext } from './input.ts';
import type { ContextRoom } from './large/context-room.ts';
import { LeftOut } from './left-out.ts';
import { examinePlain } from './plain-files.ts';

/** How a set of files is found and read. */
export interface FilesOptions extends Pick<FileOptions, 'encoding'> {
  /** Where relative paths and patterns start, and what document paths are relative to. Default: the working directory. */
  readonly cwd?: string;
  /** Patterns in the syntax of `.gitignore` of what to leave out of folders besides. */
  readonly ignore?: readonly string[];
  /** Whether `.gitignore`, `.ignore` and `.fathomignore` files are respected, and `node_modules` left out. Default true. */
  readonly ignoreFiles?: boolean;
}

/** Notes on single files that the model and the user see; more are counted. */
const SINGLE_NOTES = 8;

/**
 * Files, folders and glob patterns as context: a list of documents in path order, each with `.path` and `.text`. PDFs, office
 * documents and the like are converted when a cell uses them. A file that is named is in the list, or it is an error. Of
 * folders, files that are binary and of no kind that is converted, ignored by `.gitignore`, usually
 * secret, or links out of the folder are left out, which the context's notes report.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'Where is the retry logic?', context: fromFiles('src') });
 * ```
 */
export function fromFiles(paths: string | readonly string[], options: FilesOptions = {}): ContextSource {
  return contextSource((room) => loadFiles(typeof paths === 'string' ? [paths] : paths, { options, room }));
}

/** Files of which some have names of their own, by their absolute paths. */
export function namedFiles(
  paths: readonly string[],
  names: ReadonlyMap<string, string>,
  options: FilesOptions & Guarded = {},
): ContextSource {
  return contextSource((room) => loadFiles(paths, { options, room, names }));
}

interface Search {
  /** Names of files, by their paths, where the name differs from the path. */
  readonly names: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly options: FilesOptions & Guarded;
  readonly leftOut: LeftOut;
}

/** A file of the list; `named` says that the caller gave its path. */
interface Candidate extends FoundFile {
  readonly named: boolean;
}

async function loadFiles(
  paths: readonly string[],
  use: {
    readonly options: FilesOptions & Guarded;
    readonly room: ContextRoom;
    readonly names?: ReadonlyMap<string, string>;
  },
): Promise<LoadedContext> {
  const { options, room, names = new Map<string, string>() } = use;
  checkFileOptions('fromFiles', options);
  if (options.cwd !== undefined) checkPath('fromFiles in cwd', options.cwd);
  checkList('paths', paths);
  checkList('ignore', options.ignore ?? []);
  const search: Search = { names, cwd: resolve(options.cwd ?? '.'), options, leftOut: new LeftOut() };
  const candidates = await findAll(paths, search);
  const documents: DocumentValue[] = [];
  const notes: ContextNote[] = [];
  for (const [candidate, look] of await examineAll(candidates, search)) {
    const path = names.get(candidate.path) ?? documentPath(search.cwd, candidate.path);
    if (look === undefined) continue;
    documents.push({ path, content: look.value });
    notes.push(...notesFor(path, look));
  }
  const left = search.leftOut.note();
  if (documents.length === 0)
    throw notFound(paths, `no text file matches${left === undefined ? '' : `; ${left.text}`}`);
  return documentsContext(documents, { notes: [...bounded(notes), ...(left === undefined ? [] : [left])], room });
}

function notesFor(path: string, { facts, value }: FileLook): readonly ContextNote[] {
  if (facts.is === 'text') return notesOf(path, facts);
  if (value.converts !== undefined) return [];
  return [bytesNote(path, facts, `context[${JSON.stringify(path)}].bytes`)];
}

/** Empty files of a folder are usual; other notes are counted where they are many. */
function bounded(notes: readonly ContextNote[]): readonly ContextNote[] {
  const reported = notes.filter(({ kind }) => kind !== 'empty' || notes.length <= SINGLE_NOTES);
  if (reported.length <= SINGLE_NOTES) return reported;
  const rest = reported.slice(SINGLE_NOTES);
  const counts = [...Map.groupBy(rest, ({ kind }) => kind)];
  return [
    ...reported.slice(0, SINGLE_NOTES),
    ...counts.map(([kind, all]) => ({
      kind,
      text: `${all.length} more files ${MORE[kind]}`,
      details: all.map(({ text }) => text),
    })),
  ];
}

const MORE: Readonly<Record<ContextNote['kind'], string>> = {
  encoding: 'are not UTF-8 and were read as another encoding',
  replaced: 'have bytes that read as U+FFFD',
  bytes: 'are not text: code gets their bytes',
  'left-out': 'are left out',
  empty: 'are empty',
};

function checkList(what: string, list: unknown): void {
  if (!Array.isArray(list)) throw wrongArgument(`fromFiles takes ${what} as a list of texts, not ${kindOf(list)}`);
  for (const one of list) checkPath(`fromFiles in ${what}`, one);
}

/** Each file once, in the order of its path. A file that is both named and found counts as named. */
async function findAll(paths: readonly string[], search: Search): Promise<readonly Candidate[]> {
  const found = new Map<string, Candidate>();
  for (const path of paths) {
    for (const candidate of await findOne(path, search)) {
      const before = found.get(candidate.real);
      if (before === undefined || (candidate.named && !before.named)) found.set(candidate.real, candidate);
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function findOne(path: string, search: Search): Promise<readonly Candidate[]> {
  const absolute = resolve(search.cwd, path);
  const { guard } = search.options;
  const look = async (): Promise<Stats> => {
    await guard?.checkPath(absolute);
    return await stat(absolute);
  };
  const facts = await onFile(absolute, look).catch(missingOnly);
  if (facts?.isDirectory()) return await inFolder({ root: absolute, path, search, wants: () => true });
  if (facts !== undefined) return [{ path: absolute, real: await realpath(absolute), named: true }];
  const { folder, pattern } = await literalPart(path, search.cwd);
  await guard?.checkPath(folder);
  const matches = pattern === undefined ? undefined : matcherOf(pattern);
  if (matches === undefined) throw notFound([path], whyNoFile(path));
  return await inFolder({ root: folder, path, search, wants: (inside) => matches(inside) });
}

/** Brackets are a set of characters, or part of a name: folders are called `[id]` as well. */
function matcherOf(pattern: string): (inside: string) => boolean {
  return picomatch(/\[.*\]/.test(pattern) ? [pattern, pattern.replace(/[[\]]/g, '\\$&')] : pattern, { dot: true });
}

/** A path that is not there may be a pattern; every other failure is one. */
function missingOnly(error: unknown): undefined {
  if (RlmError.isInstance(error) && error.code === 'context-not-found') return undefined;
  throw error;
}

async function inFolder(request: {
  readonly root: string;
  /** As it was given. */
  readonly path: string;
  readonly search: Search;
  readonly wants: (inside: string) => boolean;
}): Promise<readonly Candidate[]> {
  const { root, path, search, wants } = request;
  const { cwd, options, leftOut } = search;
  const before = leftOut.total;
  const ignoreFiles = options.ignoreFiles ?? true;
  const found = await findFiles({ root, wants, exclude: options.ignore ?? [], cwd, ignoreFiles, leftOut });
  if (found.length === 0 && leftOut.total === before) {
    throw notFound([path], root === resolve(cwd, path) ? 'the folder holds no file' : whyNoFile(path));
  }
  return found.map((file) => ({ ...file, named: false }));
}

/**
 * The part of a pattern that exists as a folder is literal, whatever signs are in it; the rest is a pattern below it.
 * Without a rest that has signs of patterns there is no pattern.
 */
async function literalPart(
  path: string,
  cwd: string,
): Promise<{ readonly folder: string; readonly pattern: string | undefined }> {
  const parts = path.split(sep).join('/').split('/');
  for (let count = parts.length - 1; count >= 0; count -= 1) {
    const head = parts.slice(0, count).join('/');
    const folder = resolve(cwd, count === 1 && head === '' ? '/' : head || '.');
    const facts = await stat(folder).catch(() => undefined);
    if (facts?.isDirectory() !== true) continue;
    const pattern = parts.slice(count).join('/');
    return { folder, pattern: picomatch.scan(pattern).isGlob ? pattern : undefined };
  }
  return { folder: cwd, pattern: undefined };
}

function whyNoFile(path: string): string {
  return whyNoPath(path) ?? 'there is no such file, and no file matches it as a pattern';
}

/** Looks at all of them; those of folders that cannot be used are left out. */
async function examineAll(
  candidates: readonly Candidate[],
  search: Search,
): Promise<readonly (readonly [Candidate, FileLook | undefined])[]> {
  const giveWay = createTimeSlices();
  return await mapBounded(candidates, async (candidate) => {
    // Most files of folders are small and plain.
    const plain =
      candidate.named || search.options.encoding !== undefined
        ? undefined
        : examinePlain(candidate.path, search.options.guard);
    await giveWay();
    return [candidate, plain ?? (await examineOne(candidate, search))] as const;
  });
}

async function examineOne(candidate: Candidate, search: Search): Promise<FileLook | undefined> {
  const { encoding, guard } = search.options;
  const how = {
    ...(encoding !== undefined && { encoding }),
    ...(guard !== undefined && { guard }),
    textAsIs: !candidate.named,
  };
  const look = (): Promise<FileLook> => examine(candidate.path, how);
  if (candidate.named) return await onFile(candidate.path, look);
  const shown = documentPath(search.cwd, candidate.path);
  try {
    const found = await look();
    // Only what was named is given as bytes.
    if (found.facts.is === 'text' || found.value.converts !== undefined || encoding === 'binary') return found;
    search.leftOut.add('binary', shown);
  } catch (error) {
    search.leftOut.add(isBinaryRefusal(error) ? 'binary' : 'unreadable', shown);
    if (!RlmError.isInstance(error) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return undefined;
}

/** Relative where the file lies below the working directory, else absolute; always with `/`. */
function documentPath(cwd: string, path: string): string {
  return isBelow(cwd, path) ? pathBelow(cwd, path) : path.split(sep).join('/');
}

function notFound(paths: readonly string[], why: string): RlmError {
  return new RlmError({
    code: 'context-not-found',
    message: `No context in ${paths.join(', ')}: ${why}.`,
    userAction: true,
    data: { paths: [...paths] },
  });
}
