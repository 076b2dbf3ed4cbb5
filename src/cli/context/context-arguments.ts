import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type ContextInput, type ContextSource, contexts, fromFile, fromFiles } from '../../context/index.ts';
import type { Store } from '../../store/index.ts';
import { spoolInput } from './spooled-input.ts';

/** The path that stands for standard input. */
export const STDIN = '-';

/** A context made of command-line arguments. */
export interface ContextFromArguments {
  readonly context: ContextInput | undefined;
  /** Removes what was spooled. */
  readonly dispose: () => Promise<void>;
}

/**
 * What the `-f` arguments hand over:
 *
 * | arguments | `context` in the REPL |
 * |---|---|
 * | none | `None` |
 * | one file, or `-` | its text |
 * | a folder, a pattern, or several | a list of documents |
 * | `-` and others | a mapping of `stdin` and `files`, which are variables as well |
 *
 * @param store where standard input is kept. Default: the folder for temporary files
 * @throws RlmError `context-not-found` only when the run starts: nothing but standard input is read here
 */
export async function contextFromArguments(
  paths: readonly string[],
  stdin: NodeJS.ReadableStream,
  signal?: AbortSignal,
  store?: Store,
): Promise<ContextFromArguments> {
  const files = paths.filter((path) => path !== STDIN);
  if (files.length === paths.length) return { context: await fromPaths(files), dispose: async () => undefined };
  const spooled = await spoolInput(stdin, store, signal);
  const input = fromFile(spooled.path);
  const others = await fromPaths(files);
  return {
    context: others === undefined ? input : contexts({ stdin: input, files: others }),
    dispose: spooled.dispose,
  };
}

async function fromPaths(paths: readonly string[]): Promise<ContextSource | undefined> {
  const [only] = paths;
  if (only === undefined) return undefined;
  const oneFile = paths.length === 1 && ((await stat(only).catch(() => undefined))?.isFile() ?? false);
  return oneFile ? fromFile(only) : fromFiles(paths);
}

/**
 * Whether something is piped or redirected in. It is never read unasked, because waiting for a pipe that nobody closes
 * would hang; but it is not ignored in silence either.
 */
export function hasUnreadInput({ fd }: { readonly fd: number }): boolean {
  try {
    const facts = fstatSync(fd);
    return facts.isFIFO() || facts.isFile();
  } catch {
    return false; // Standard input is closed.
  }
}
