/** Runs the guest package's own tests with the machine's Python. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findPython } from './plain-python.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const { path, reason } = findPython();

describe('the guest package', () => {
  if (path === undefined) console.warn(`The guest's own tests are left out: ${reason}.`);

  test.skipIf(path === undefined)('passes its own tests', { timeout: 120_000 }, async () => {
    const args = ['-B', '-m', 'unittest', 'discover', '-s', 'guest/tests', '-t', 'guest'];
    const { stderr } = await run(path ?? '', args, { cwd: root, timeout: 100_000 });
    expect(stderr).toMatch(/^OK/m);
  });
});
