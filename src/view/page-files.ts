import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, RlmError } from '../errors.ts';
import { folderWith } from '../package-files.ts';

/** The built page. */
export interface PageFiles {
  readonly script: string;
  readonly style: string;
}

/** In the package, and in this repository. */
const FOLDERS = ['page', join('viewer', 'dist')] as const;

/**
 * Reads the page that the build made.
 *
 * @throws RlmError `invalid-option` where it is missing
 */
export function readPageFiles(): PageFiles {
  for (const folder of FOLDERS) {
    const root = folderWith(join(folder, 'app.js'));
    if (root === undefined) continue;
    const read = (name: string): string => readFileSync(join(root, folder, name), 'utf8');
    try {
      return { script: read('app.js'), style: read('app.css') };
    } catch (error) {
      throw missing(messageOf(error));
    }
  }
  throw missing('it was not built');
}

function missing(why: string): RlmError {
  const message = `The page is missing (${why}): install fathom-rlm again; in a clone of the repository run \`npm run build\`.`;
  return new RlmError({ code: 'invalid-option', message, userAction: true });
}
