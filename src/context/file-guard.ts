/**
 * Limits which files may be read, for callers that do not own the files of this machine.
 *
 * @module
 */

/** Without a guard, every file is read that this process can read. */
export interface FileGuard {
  /**
   * Called with a path that the caller named, before anything is opened there.
   *
   * @throws RlmError `context-invalid` for one that may not be read
   */
  readonly checkPath: (path: string) => Promise<void>;
  /**
   * Called with a file that is open, before a byte of it is read: between the check of its path and the opening, a folder of that
   * path may have become a link. Returns the identity by which the REPL opens the same file.
   *
   * @throws RlmError `context-invalid`
   */
  readonly checkOpen: (file: { readonly fd: number; readonly path: string }) => string;
}

/** Options of a read, with its guard. */
export interface Guarded {
  readonly guard?: FileGuard;
}
