import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const QUESTION =
  'import sys; sys.exit(0 if sys.version_info >= (3, 10) and sys.implementation.name == "cpython" else 1)';

/** A CPython that can run the guest package, or undefined. */
export async function findPython(): Promise<string | undefined> {
  for (const name of ['python3', 'python']) {
    const fits = await run(name, ['-c', QUESTION]).then(
      () => true,
      () => false,
    );
    if (fits) return name;
  }
  return undefined;
}
