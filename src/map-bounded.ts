/**
 * Maps a list by an asynchronous function, at most `atOnce` items under way: a list of files may be longer than a process
 * has descriptors. The first failure rejects.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  map: (item: T) => Promise<R>,
  atOnce: number = FILES_AT_ONCE,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const entries = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}

/** More than the four threads that Node reads files with, and far below any limit of descriptors. */
const FILES_AT_ONCE = 16;
