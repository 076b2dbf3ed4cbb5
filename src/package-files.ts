/**
 * Files of this package beside its code: the guest's Python, workers, the embedded REPL. The code may lie at any depth,
 * in `src` or in `dist`; a bundler that copies it into another file leaves all of them behind.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RlmError } from './errors.ts';

/** The nearest folder above this module that holds `path`. */
export function folderWith(path: string): string | undefined {
  const { url } = import.meta as { readonly url?: string }; // undefined where a bundler made CommonJS of this module
  if (url === undefined) return undefined;
  for (let folder = dirname(fileURLToPath(url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * Node's `require` as seen from this package.
 *
 * @throws RlmError `repl-failure` when it is not installed
 */
export function requireFrom(): NodeJS.Require {
  const { url } = import.meta as { readonly url?: string };
  if (url === undefined) throw incompletePackage('node_modules/fathom-rlm');
  return createRequire(url);
}

/** The error for a part that is missing: nothing can work without it, and only an installation restores it. */
export function incompletePackage(what: string, cause?: unknown): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `A part of fathom-rlm is missing: ${what}. If a bundler made this program, keep \`fathom-rlm\` and \`pyodide\` external, so that Node loads them from node_modules (docs/bundling.md); else install fathom-rlm again.`,
    userAction: true,
    data: { missing: what },
    cause,
  });
}
