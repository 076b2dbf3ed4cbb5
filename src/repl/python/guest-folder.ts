import { join } from 'node:path';
import { folderWith, incompletePackage } from '../../package-files.ts';

/**
 * The folder of the Python packages that are part of Fathom.
 *
 * @throws RlmError `repl-failure` when the package is incomplete
 */
export function guestFolder(): string {
  const folder = folderWith('guest/fathom_native/__main__.py');
  if (folder === undefined) throw incompletePackage('guest/fathom_native');
  return join(folder, 'guest');
}
