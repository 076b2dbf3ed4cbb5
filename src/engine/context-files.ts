import { sep } from 'node:path';
import { byteWords, type ContextSet, type LoadedContext, shownName } from '../context/index.ts';
import { CONTEXT_FILE_BLOCK, DEFAULT_LIMITS } from '../limits.ts';
import { CONTEXT_FOLDER, type ContextFile, type FileValue } from '../repl/port.ts';

/** The files of contexts that are in a REPL, and the sentences about them for the model. */
export interface ShownFiles {
  readonly files: readonly ContextFile[];
  /** Undefined where the contexts have no files. */
  readonly words: string | undefined;
}

interface Wanted {
  readonly file: FileValue;
  /** Its path as the model knows it. */
  readonly path: string;
}

/** Bytes of the longest name of a file, with room for a number. */
const NAME_BYTES = 240;
/** Files that are named one by one in what the model reads. */
const NAMED = 3;

/**
 * Gives the files of contexts their paths below `context/`, for the life of a REPL: those of their documents, files outside
 * of the working directory below `abs/`. A file whose path another one has gets a number.
 */
export class ContextFilePaths {
  /** By path below `context/`: the file on the host and the bytes it takes. */
  readonly #taken = new Map<string, { readonly path: string; readonly room: number }>();
  readonly #folders = new Set<string>();
  readonly #limit: number;
  #room: number;

  /** `limit`: the limit `contextFileBytes`. */
  constructor(limit: number = DEFAULT_LIMITS.contextFileBytes) {
    this.#limit = limit;
    this.#room = limit;
  }

  /** The files of contexts that are bound now. Those for which there is no room are named instead. */
  add(contexts: ContextSet, cwd: string = process.cwd()): ShownFiles {
    const loaded = contexts.kind === 'one' ? [contexts.context] : [...contexts.contexts.values()];
    const wanted = loaded.flatMap((context) => filesOf(context, cwd));
    const files: ContextFile[] = [];
    const renamed: string[] = [];
    const left: Wanted[] = [];
    for (const one of wanted) {
      const at = this.#place(one);
      if (at === undefined) left.push(one);
      else {
        files.push({ at, file: sourceOf(one.file) });
        if (at !== cleaned(one.path)) renamed.push(`${code(one.path)} is ${code(`${CONTEXT_FOLDER}/${at}`)}`);
      }
    }
    return { files, words: wanted.length === 0 ? undefined : wordsOf({ files, renamed, left, limit: this.#limit }) };
  }

  /** Undefined where there is no room for it. */
  #place({ file, path }: Wanted): string | undefined {
    const at = this.#free(cleaned(path), file.path);
    const room = Math.max(1, Math.ceil(file.bytes / CONTEXT_FILE_BLOCK)) * CONTEXT_FILE_BLOCK;
    const more = room - (this.#taken.get(at)?.room ?? 0);
    if (more > this.#room) return undefined;
    this.#room -= more;
    this.#taken.set(at, { path: file.path, room });
    for (const folder of foldersOf(at)) this.#folders.add(folder);
    return at;
  }

  #free(wanted: string, path: string): string {
    const [name = '', ...folders] = wanted.split('/').reverse();
    const folder = folders.reduceRight(
      (above, part) => `${firstFree(above + part, (at) => !this.#taken.has(at))}/`,
      '',
    );
    return firstFree(folder + name, (at) => {
      const other = this.#taken.get(at);
      return !this.#folders.has(at) && (other === undefined || other.path === path);
    });
  }
}

function firstFree(wanted: string, isFree: (at: string) => boolean): string {
  let at = wanted;
  for (let number = 2; !isFree(at); number += 1) at = numbered(wanted, number);
  return at;
}

function sourceOf({ path, bytes, identity }: FileValue): ContextFile['file'] {
  return { path, bytes, ...(identity !== undefined && { identity }) };
}

function filesOf({ value }: LoadedContext, cwd: string): readonly Wanted[] {
  if (value.kind === 'document') return [{ file: value.file, path: pathOf(value.file, cwd) }];
  if (value.kind === 'file') return [{ file: value, path: pathOf(value, cwd) }];
  if (value.kind !== 'documents') return [];
  return value.documents.flatMap(({ path, content }) => (content.kind === 'file' ? [{ file: content, path }] : []));
}

/** Of a file that is a context by itself, as of a document: relative where it lies below the working directory. */
function pathOf({ name, path }: FileValue, cwd: string): string {
  if (name !== undefined) return name.replaceAll(' ', '-');
  const below = path.startsWith(cwd + sep) ? path.slice(cwd.length + 1) : path;
  return below.split(sep).join('/');
}

/** A path that can be made below a folder. */
function cleaned(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const names = parts.map((part) => shortened(part.toWellFormed().replaceAll('\0', '\uFFFD')));
  const absolute = path.startsWith('/') || /^[A-Za-z]:\//.test(path);
  return [...(absolute ? ['abs'] : []), ...(names.length === 0 ? ['file'] : names)].join('/');
}

function shortened(name: string): string {
  let short = name;
  while (Buffer.byteLength(short) > NAME_BYTES) short = short.slice(0, -1).toWellFormed();
  return short;
}

function foldersOf(at: string): readonly string[] {
  const parts = at.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** `a/b.txt` as `a/b-2.txt`. */
function numbered(at: string, number: number): string {
  return at.replace(/(?=(\.[^./]*)?$)/, `-${number}`);
}

function wordsOf(parts: {
  readonly files: readonly ContextFile[];
  readonly renamed: readonly string[];
  readonly left: readonly Wanted[];
  readonly limit: number;
}): string {
  const { files, renamed, left, limit } = parts;
  const [first] = files;
  const where =
    first === undefined
      ? []
      : files.length === 1
        ? [`The file is ${code(`${CONTEXT_FOLDER}/${first.at}`)}, read-only, for \`open()\` and bash`]
        : [
            `The files are below ${code(`${CONTEXT_FOLDER}/`)} under their paths, read-only, for \`open()\` and bash: ${code(`${CONTEXT_FOLDER}/${first.at}`)}, …`,
          ];
  const names = renamed.length === 0 ? [] : [`${someOf(renamed, '; ')}`];
  const bytes = left.reduce((sum, { file }) => sum + file.bytes, 0);
  const missing =
    left.length === 0
      ? []
      : [
          `${someOf(
            left.map(({ path }) => code(path)),
            ', ',
          )} (${byteWords(bytes)}) cannot be opened as ${left.length === 1 ? 'a file' : 'files'}, because there is room for ${byteWords(limit)}: use the variable`,
        ];
  return `${[...where, ...names, ...missing].join('. ')}.`;
}

function someOf(all: readonly string[], separator: string): string {
  const rest = all.length - NAMED;
  return rest <= 0 ? all.join(separator) : `${all.slice(0, NAMED).join(separator)} and ${rest} more`;
}

function code(path: string): string {
  return `\`${shownName(path)}\``;
}
