import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RlmError } from '../../errors.ts';

/**
 * The folder of the Python packages that ship with Fathom. The nearest `guest` above this module: it works from the
 * sources as well as from `dist`, however deep the bundler has put us.
 *
 * @throws RlmError `repl-failure` when the package is incomplete
 */
export function guestFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const guest = join(folder, 'guest');
    if (existsSync(join(guest, 'fathom_native', '__main__.py'))) return guest;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new RlmError({
    code: 'repl-failure',
    message: 'The Python files of the package (guest/fathom_native) are missing: install fathom-rlm again.',
    userAction: true,
  });
}
