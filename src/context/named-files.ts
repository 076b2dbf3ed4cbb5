import { type FileOptions, lookAtFile } from './from-file.ts';
import { type FilesOptions, loadFiles } from './from-files.ts';
import { type ContextSource, contextSource } from './input.ts';

/** A file that is called otherwise than the end of its path says: a copy of standard input. */
export function namedFile(path: string, name: string, options: FileOptions): ContextSource {
  return contextSource(() => lookAtFile(path, options, name));
}

/** Files some of which are called otherwise, by their absolute paths. */
export function namedFiles(
  paths: readonly string[],
  names: ReadonlyMap<string, string>,
  options: FilesOptions = {},
): ContextSource {
  return contextSource(() => loadFiles(paths, options, names));
}
