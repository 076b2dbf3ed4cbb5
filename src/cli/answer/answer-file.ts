import { randomUUID } from 'node:crypto';
import { linkSync, lstatSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, RlmError } from '../../errors.ts';
import type { OutputOptions } from '../options/ask-options.ts';
import { gathered } from './pieces.ts';

/** A file that takes the answer, whole or not at all. */
export interface AnswerFile extends AsyncDisposable {
  readonly path: string;
  /**
   * Writes the answer and puts the file in its place.
   *
   * @param as another path in the same folder. Default: the own one
   * @throws RlmError `invalid-option`
   */
  write(pieces: Iterable<string>, as?: string): Promise<void>;
}

/**
 * Opens the file of `-o` before anything is paid: its folder has to take files, and a file that exists is replaced only
 * with `--force`. Only its owner can read it.
 *
 * @param content in words: `answer`
 * @throws RlmError `invalid-option`
 */
export async function openAnswerFile(
  { output, force }: OutputOptions,
  content = 'answer',
): Promise<AnswerFile | undefined> {
  if (output === undefined) return undefined;
  const existing = lstatSync(output, { throwIfNoEntry: false });
  if (existing !== undefined && force !== true) throw exists(output);
  if (existing?.isDirectory() === true) throw unwritable(output, content, new Error('it is a folder'));
  const draft = join(dirname(output), `.${basename(output)}.${randomUUID()}.part`);
  const file = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(output, content, error);
  });
  return answerFile({ path: output, content, draft, file, force: force === true });
}

interface Opened {
  readonly path: string;
  readonly content: string;
  readonly draft: string;
  readonly file: FileHandle;
  readonly force: boolean;
}

function answerFile({ path, content, draft, file, force }: Opened): AnswerFile {
  return {
    path,
    async write(pieces, as = path) {
      try {
        await file.writeFile(gathered(pieces), 'utf8');
        await file.sync();
        // A link is made only where there is no file: one that appeared meanwhile is not lost.
        if (force) await rename(draft, as);
        else linkSync(draft, as);
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? exists(as) : unwritable(as, content, error);
      }
    },
    async [Symbol.asyncDispose]() {
      await file.close();
      await rm(draft, { force: true });
    },
  };
}

/** Without the name of the draft, which the user did not choose. */
function whyUnwritable(path: string, cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? `there is no folder ${dirname(path)}`
    : messageOf(cause).replace(/,? (?:open|link|rename) '.*$/, '');
}

function exists(path: string): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The file ${path} exists: --force replaces it, -o names another one.`,
    userAction: true,
    data: { path },
  });
}

function unwritable(path: string, content: string, cause: unknown): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The ${content} cannot be written to ${path}: ${whyUnwritable(path, cause)}.`,
    userAction: true,
    cause,
    data: { path },
  });
}
