/**
 * Names the content of a file, for the cache of conversions.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Names by the file itself, its size and its times: a file is read once, however many parts of it are converted. */
const known = new Map<string, string>();
const MOST_KNOWN = 10_000;

/** The SHA-256 of an open file, in hex. */
export async function contentKey(handle: FileHandle): Promise<string> {
  const identity = identityNow(fstatSync(handle.fd, { bigint: true }));
  const before = known.get(identity);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) hash.update(piece as Buffer);
  const key = hash.digest('hex');
  // A file that was written to while it was read has no name that would hold.
  if (identityNow(fstatSync(handle.fd, { bigint: true })) !== identity) return key;
  known.set(identity, key);
  const [oldest] = known.keys();
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  return key;
}

/** The time of a change of status cannot be set back, as the one of a change of content can. */
function identityNow({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
