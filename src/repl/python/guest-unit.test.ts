/** Runs the native guest package's own tests with the machine's Python. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findInterpreter } from './interpreter.ts';
import { describeWithPython } from './testing.ts';

const run = promisify(execFile);

await describeWithPython('the native guest package', () => {
  test('passes its own tests', { timeout: 120_000 }, async () => {
    const { executable } = await findInterpreter();
    const args = ['-B', '-m', 'unittest', 'discover', '-s', 'tests_native', '-t', '.'];
    const cwd = fileURLToPath(new URL('../../../guest', import.meta.url));
    const { stderr } = await run(executable, args, { cwd, timeout: 100_000 });
    expect(stderr).toMatch(/^OK/m);
  });
});
