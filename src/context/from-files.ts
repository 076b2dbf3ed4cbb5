import { open, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import { kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import type { DocumentValue } from '../repl/port.ts';
import { checkFileOptions, checkPath, whyNoPath, wrongArgument } from './file-options.ts';
import { type FileOptions, lookAtFile, looksBinary } from './from-file.ts';
import { type ContextSource, contextSource, type LoadedContext } from './input.ts';
import { previewText } from './preview.ts';

/** How a set of files is found and read. */
export interface FilesOptions extends Pick<FileOptions, 'encoding'> {
  /** Where relative paths and patterns start, and what document paths are relative to. Default: the working directory. */
  readonly cwd?: string;
  /** Glob patterns to leave out besides `.git`, `.fathom` and binary files. */
  readonly ignore?: readonly string[];
}

/** Bytes looked at to tell text from binary, as git does. */
const SNIFF_BYTES = 8_000;

/**
 * Files, folders and glob patterns as context: a list of documents in path order, each with `.path` and `.text`.
 * `.git` folders, the stores of Fathom's own runs (`.fathom`) and binary files are left out.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'Where is the retry logic?', context: fromFiles('src') });
 * ```
 */
export function fromFiles(paths: string | readonly string[], options: FilesOptions = {}): ContextSource {
  return contextSource(() => loadFiles(typeof paths === 'string' ? [paths] : paths, options));
}

async function loadFiles(paths: readonly string[], options: FilesOptions): Promise<LoadedContext> {
  checkFileOptions('fromFiles', options);
  if (options.cwd !== undefined) checkPath('fromFiles in cwd', options.cwd);
  checkList('paths', paths);
  checkList('ignore', options.ignore ?? []);
  const cwd = resolve(options.cwd ?? '.');
  const found = await findFiles(paths, cwd, options.ignore ?? []);
  const documents: DocumentValue[] = [];
  for (const path of found) {
    if (await isBinary(path)) continue;
    const loaded = await lookAtFile(path, options.encoding === undefined ? {} : { encoding: options.encoding });
    if (loaded.value.kind !== 'file') continue;
    documents.push({ path: documentPath(cwd, path), content: loaded.value });
  }
  if (documents.length === 0) throw notFound(paths, 'no text file matches');
  return documentsContext(documents);
}

/** A list of documents as a context: their paths and sizes are its preview. */
export function documentsContext(documents: readonly DocumentValue[]): LoadedContext {
  const lines = documents.map(({ path, content }) =>
    content.kind === 'file' ? `${path} (${content.bytes} bytes)` : path,
  );
  return {
    value: { kind: 'documents', documents },
    type: 'list of documents with .path and .text',
    size: documents.length,
    unit: 'documents',
    preview: previewText(lines.join('\n')),
    empty: documents.length === 0,
  };
}

function checkList(what: string, list: unknown): void {
  if (!Array.isArray(list)) throw wrongArgument(`fromFiles takes ${what} as a list of texts, not ${kindOf(list)}`);
  for (const one of list) checkPath(`fromFiles in ${what}`, one);
}

async function findFiles(paths: readonly string[], cwd: string, ignore: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(cwd, path);
    const facts = await stat(absolute).catch(() => undefined);
    if (facts?.isFile()) {
      found.add(absolute);
      continue;
    }
    const folder = facts?.isDirectory() ?? false;
    const matches = await glob(folder ? ['**/*'] : [path.split(sep).join('/')], {
      cwd: folder ? absolute : cwd,
      absolute: true,
      dot: true,
      onlyFiles: true,
      followSymbolicLinks: false,
      ignore: ['**/.git/**', '**/.fathom/**', ...ignore],
    });
    if (matches.length === 0) throw notFound([path], folder ? 'the folder holds no file' : whyNoFile(path));
    for (const match of matches) found.add(match);
  }
  return [...found].sort();
}

function whyNoFile(path: string): string {
  return whyNoPath(path) ?? 'there is no such file, and no file matches it as a pattern';
}

async function isBinary(path: string): Promise<boolean> {
  const opened = await open(path, 'r').catch(() => undefined);
  // Who looks at it next says why it cannot be read.
  if (opened === undefined) return false;
  await using file = opened;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
  return looksBinary(buffer.subarray(0, bytesRead));
}

/** Relative where the file lies below the working directory, else absolute; always with `/`. */
function documentPath(cwd: string, path: string): string {
  const inside = relative(cwd, path);
  return (/^\.\.($|[/\\])/.test(inside) ? path : inside).split(sep).join('/');
}

function notFound(paths: readonly string[], why: string): RlmError {
  return new RlmError({
    code: 'context-not-found',
    message: `No context in ${paths.join(', ')}: ${why}.`,
    userAction: true,
    data: { paths: [...paths] },
  });
}
