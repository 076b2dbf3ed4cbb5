import { defined } from '../defined.ts';
import { keepInCache, sourceOfCopy } from './copies.ts';
import type { FileOptions } from './examine-file.ts';
import { checkFileOptions, checkPath, wrongArgument } from './file-options.ts';
import { namedFile } from './from-file.ts';
import { type ContextSource, contextSource } from './input.ts';

/** Which repository is read, and how. */
export interface GitOptions extends FileOptions {
  /** A folder of the repository. Default: the working directory. */
  readonly cwd?: string;
  /** Patterns in the syntax of `.gitignore` of what to leave out of a folder. */
  readonly ignore?: readonly string[];
  /** Aborting it ends git. */
  readonly signal?: AbortSignal;
}

/**
 * The files of a revision as context, `REV` or `REV:PATH`: a list of documents, or the text of one file. Only objects are read:
 * no hook, filter, textconv or file system monitor of the repository runs, nothing is checked out, and nothing is fetched.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'What changed?', context: contexts({ before: fromGit('HEAD~1'), after: fromGit('HEAD') }) });
 * ```
 */
export function fromGit(revision: string, options: GitOptions = {}): ContextSource {
  return contextSource(async (room) => {
    checkPath('fromGit', revision);
    checkFileOptions('fromGit', options);
    const { as, encoding, cwd, ignore = [], signal } = options;
    const { copyFromGit, gitSource } = await import('./git/git-tree.ts');
    const source = gitSource(revision);
    const copy = await copyFromGit({
      ...{ source, keep: keepInCache, exclude: ignore, env: process.env },
      ...defined({ cwd, signal }),
    });
    if (copy.tree && (as !== undefined || encoding !== undefined))
      throw wrongArgument(`fromGit takes as and encoding for one file, and ${revision} is a folder`);
    const made = namedFile(copy.path, source, defined({ as, encoding }));
    return await copy.annotate(sourceOfCopy({ copy, from: source, source: made })).load(room);
  });
}
