import { stat } from 'node:fs/promises';
import { type FileCopy, sourceOfCopy } from '../../context/copies.ts';
import { namedFile } from '../../context/from-file.ts';
import { namedFiles } from '../../context/from-files.ts';
import { type ContextInput, type ContextSource, contexts, fromFile, type fromFiles } from '../../context/index.ts';
import type { Access } from '../../context/url/checked-address.ts';
import { RlmError } from '../../errors.ts';
import type { Store } from '../../store/index.ts';
import type { McpServers } from '../options/mcp-servers.ts';
import { type InputStream, isPiped, readPatiently, STDIN_NAME } from './piped-input.ts';
import { copySource, type SourceCopy } from './source-copies.ts';
import { spoolFile } from './spooled-input.ts';

/** The path that means standard input, and other names of it. */
export const STDIN = '-';
/** Other names of it too. */
export const STDIN_PATHS: ReadonlySet<string> = new Set([STDIN, '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

/** Options that say what the context is and how it is read. */
export interface ContextOptions {
  readonly file?: readonly string[];
  readonly encoding?: string;
  readonly exclude?: readonly string[];
  /** False: `--no-ignore`. */
  readonly ignore?: boolean;
  readonly fetch?: true;
  /** Bytes of one URL. */
  readonly fetchBytes?: number;
  /** False: `--no-stdin`. */
  readonly stdin?: boolean;
  /** Seconds. */
  readonly stdinTimeout?: number;
}

/** A context made of command-line arguments. */
export interface ContextFromArguments {
  readonly context: ContextInput | undefined;
  /** Removes what was spooled. */
  readonly dispose: () => Promise<void>;
}

export interface ContextArguments {
  readonly options: ContextOptions;
  readonly stdin: InputStream;
  /** Shows a line to the user. */
  readonly note: (line: string) => void;
  /** Where standard input is kept. Default: the folder for temporary files. */
  readonly store?: Store;
  readonly signal?: AbortSignal;
  /** Of the user's config file. */
  readonly mcpServers?: McpServers;
  /** Which addresses URLs may lead to. Default: those of the public internet. */
  readonly access?: Access;
}

/**
 * Makes the context that the `-f` arguments name:
 *
 * | arguments | `context` in the REPL |
 * |---|---|
 * | none | the text of standard input where something is piped in, else `None` |
 * | one file, or `-` | its text |
 * | a folder, a pattern, or several | a list of documents |
 * | `git:REV`, `git:REV:PATH` | the documents of a folder of that revision, or the text of a file |
 * | `https://…` | the text of the file there, as of one that is named |
 * | `mcp:SERVER:URI` | the text of that resource of a server of the config file; without a URI the documents of all of them |
 * | `-` and others | a mapping of `stdin` and `files`, which are variables as well |
 *
 * @throws RlmError `context-not-found` only when the run starts: nothing but pipes is read here
 */
export async function contextFromArguments(request: ContextArguments): Promise<ContextFromArguments> {
  const { file: paths = [] } = request.options;
  const spooled: FileCopy[] = [];
  const dispose = async (): Promise<void> => {
    for (const one of spooled.splice(0)) await one.dispose();
  };
  try {
    if (paths.length === 0) return { context: await fromPipe(request, spooled), dispose };
    const files = paths.filter((path) => !STDIN_PATHS.has(path));
    const others = await fromPaths(files, request, spooled);
    if (files.length === paths.length) return { context: others, dispose };
    const input = await readPatiently({ ...request, asked: true });
    spooled.push(input);
    const text = namedFile(input.path, STDIN_NAME, encodingOf(request.options));
    return { context: others === undefined ? text : contexts({ stdin: text, files: others }), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Standard input that no argument names: like other tools, `fathom` reads piped input. */
async function fromPipe(request: ContextArguments, spooled: FileCopy[]): Promise<ContextSource | undefined> {
  const { options, stdin, note } = request;
  if (options.stdin === false || !isPiped(stdin)) return undefined;
  const input = await readPatiently({ ...request, asked: false });
  spooled.push(input);
  if ((await stat(input.path)).size > 0) return namedFile(input.path, STDIN_NAME, encodingOf(options));
  note('Standard input is empty: the question is asked without a context.');
  return undefined;
}

async function fromPaths(
  paths: readonly string[],
  request: ContextArguments,
  spooled: FileCopy[],
): Promise<ContextSource | undefined> {
  const [only] = paths;
  if (only === undefined) return undefined;
  if (paths.includes('')) throw noFile("''", 'the path is empty');
  const { options } = request;
  const names = new Map<string, string>();
  const readable: string[] = [];
  const copies: SourceCopy[] = [];
  for (const path of paths) {
    const copy = await copyUnlessFile(path, request);
    if (copy !== undefined) copies.push(copy);
    const stored = copy ?? (await spooledWhereNeeded(path, request));
    if (stored !== undefined) {
      spooled.push(stored);
      names.set(stored.path, copy?.name ?? path);
    }
    readable.push(stored?.path ?? path);
  }
  const [first = only] = readable;
  const oneFile = paths.length === 1 && ((await stat(first).catch(() => undefined))?.isFile() ?? false);
  if (names.size === 0 && oneFile) return fromFile(first, encodingOf(options));
  const made = oneFile
    ? namedFile(first, names.get(first) ?? only, encodingOf(options))
    : namedFiles(readable, names, filesOptions(options));
  const [copy] = copies;
  const named = oneFile && copy !== undefined ? sourceOfCopy({ copy, from: only, source: made }) : made;
  return copies.reduce((source, { annotate }) => annotate?.(source) ?? source, named);
}

/** A file of that name wins. */
async function copyUnlessFile(source: string, request: ContextArguments): Promise<SourceCopy | undefined> {
  if ((await stat(source).catch(() => undefined)) !== undefined) return undefined;
  return await copySource(source, request);
}

function encodingOf({ encoding }: ContextOptions): { readonly encoding?: string } {
  return encoding === undefined ? {} : { encoding };
}

function filesOptions(options: ContextOptions): Parameters<typeof fromFiles>[1] {
  const { exclude, ignore } = options;
  return {
    ...encodingOf(options),
    ...(exclude !== undefined && { ignore: exclude }),
    ...(ignore === false && { ignoreFiles: false }),
  };
}

/**
 * A copy of what cannot be mapped: pipes, and files of the kernel, which have a size of 0 whatever they hold. Undefined for
 * everything else.
 */
async function spooledWhereNeeded(path: string, { store, signal }: ContextArguments): Promise<FileCopy | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined || facts.isDirectory()) return undefined;
  if (facts.isCharacterDevice() || facts.isBlockDevice() || facts.isSocket())
    throw noFile(path, 'it is a device or a socket');
  if (facts.isFile() && facts.size > 0) return undefined;
  return await spoolFile(path, store, signal);
}

function noFile(path: string, why: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The context file ${path} cannot be used: ${why}, not a file.`,
    userAction: true,
    data: { path },
  });
}
