/** Runs the guest package's own tests with the machine's Python. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MAX_CALL_IMAGES, MAX_IMAGE_BYTES } from '../../src/repl/channel/limits.ts';
import { findPython } from './plain-python.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const { path, reason } = findPython();

describe('the guest package', () => {
  if (path === undefined) console.warn(`The guest's own tests are left out: ${reason}.`);

  test.skipIf(path === undefined)('passes its own tests', { timeout: 120_000 }, async () => {
    const args = ['-B', '-m', 'unittest', 'discover', '-v', '-s', 'guest/tests', '-t', 'guest'];
    const { stderr } = await run(path ?? '', args, { cwd: root, timeout: 100_000 });
    for (const [line] of stderr.matchAll(/^.*skipped '.*$/gm)) console.warn(line);
    expect(stderr).toMatch(/^OK/m);
  });

  test.skipIf(path === undefined)('has the limits of images that the host has', async () => {
    const code =
      'import json; from fathom_guest import pictures as p; print(json.dumps([p.MAX_CALL_IMAGES, p.MAX_IMAGE_BYTES]))';
    const { stdout } = await run(path ?? '', ['-B', '-c', code], { cwd: `${root}/guest`, timeout: 30_000 });
    expect(JSON.parse(stdout)).toEqual([MAX_CALL_IMAGES, MAX_IMAGE_BYTES]);
  });
});
