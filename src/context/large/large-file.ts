/**
 * A file that is read piece by piece during a run: always the same one, or an error that names it.
 *
 * @module
 */
import { type BigIntStats, fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openRegular } from '../../regular-file.ts';
import type { FileValue } from '../../repl/port.ts';

/** A file that is not what it was when the run began. The message is a clause. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

/** Opens a file. @throws FileChanged for one of another size or time than when it was looked at */
export async function openUnchanged(
  file: Pick<FileValue, 'path' | 'bytes' | 'identity' | 'modified'>,
): Promise<FileHandle> {
  const handle = await openRegular(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new FileChanged('the file is gone: put it back, or ask again without it');
  });
  const stats = fstatSync(handle.fd, { bigint: true });
  if (Number(stats.size) === file.bytes && (file.modified ?? modifiedOf(stats)) === modifiedOf(stats)) return handle;
  await handle.close();
  const change =
    Number(stats.size) === file.bytes ? 'was written to' : `had ${file.bytes} bytes and has ${stats.size} now`;
  throw new FileChanged(`the file ${change} since it was looked at: ask again, so that all of it is read again`);
}

/** When a file was written to last, in nanoseconds since 1970 as digits. */
export function modifiedOf({ mtimeNs }: Pick<BigIntStats, 'mtimeNs'>): string {
  return String(mtimeNs);
}

/** The file from a byte on, in pieces that share one buffer. */
export async function* piecesFrom(
  handle: FileHandle,
  { begin, end, most }: { readonly begin: number; readonly end: number; readonly most: number },
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(most, end - begin)));
  for (let at = begin; at < end; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
