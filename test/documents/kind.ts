/** A kind of file: how one is made, and how it looks as a context. */
export interface Kind {
  readonly name: string;
  /** Absent for a file that make_files.py has made. */
  readonly make?: () => Buffer | string | Promise<Buffer>;
  /** Parts of the first message. */
  readonly shown: readonly string[];
  /** Python expressions over `context`, and their values. */
  readonly values: Readonly<Record<string, unknown>>;
}
