import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { findCacheFolder } from '../repl/cache-folder.ts';

/**
 * Keeps the compiled form of all modules loaded from here on in the user's own cache folder: the next start compiles
 * nothing. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` go before.
 */
export function cacheCompiledCode(): void {
  const { path, refused } = findCacheFolder();
  // A folder that ends with this process would only cost its writing.
  if (refused === undefined) enableCompileCache(join(path, 'compiled'));
}
