import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Never waits for the other end of a pipe that has taken the file's place. Windows has no such flag. */
export const READ_REGULAR: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file by its path, and by its identity where a guard has checked it. */
export interface CheckedFile {
  readonly path: string;
  /** Of {@link identityOf}: another file of that path is refused. */
  readonly identity?: string;
}

/** Opens a regular file for reading. The message of its error is a clause. */
export async function openRegular({ path, identity }: CheckedFile): Promise<FileHandle> {
  const file = await open(path, READ_REGULAR);
  try {
    check(await file.stat({ bigint: true }), identity);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The same without waiting, for many small files: an asynchronous read of one takes ten times as much processor time. Gives
 * a descriptor that the caller closes.
 */
export function openRegularNow({ path, identity }: CheckedFile): number {
  const fd = openSync(path, READ_REGULAR);
  try {
    check(fstatSync(fd, { bigint: true }), identity);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function check(facts: BigIntStats, identity: string | undefined): void {
  if (!facts.isFile()) throw new Error('it is not a regular file');
  if (identity !== undefined && identityOf(facts) !== identity) {
    throw new Error('another file has taken its place since it was checked');
  }
}

/** Names the file itself, whatever its path is. */
export function identityOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/** The identity of an open file. */
export function identityOfOpen(fd: number): string {
  return identityOf(fstatSync(fd, { bigint: true }));
}
