import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { TextEncoding } from '../../text-encoding.ts';
import { type FileFacts, scanFile } from '../scan-file.ts';
import { MOST_INDEXES, SCANNED_ONCE_BYTES } from './limits.ts';

/** Facts of large files by device, number, size, times and encoding. The oldest go first. */
const known = new Map<string, FileFacts>();

/** The facts of a file, and its index. A large file that has not changed is read once in the life of the process. */
export async function scanOnce(
  handle: FileHandle,
  { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats,
  named: TextEncoding | undefined,
): Promise<FileFacts> {
  const bytes = Number(size);
  if (bytes < SCANNED_ONCE_BYTES) return await scanFile(handle, bytes, named);
  const key = [dev, ino, size, mtimeNs, ctimeNs, named ?? ''].join(':');
  const facts = known.get(key) ?? (await scanFile(handle, bytes, named));
  known.set(key, facts);
  const [oldest] = known.keys();
  if (known.size > MOST_INDEXES && oldest !== undefined) known.delete(oldest);
  return facts;
}
