import { existsSync } from 'node:fs';
import { join } from 'node:path';

const COMMAND_TESTS = ['ask', 'ask-stopped', 'context', 'options', 'runs', 'runs-shown', 'session'].map(
  (name) => `test/cli/${name}.test.ts`,
);

/**
 * The tests that the oldest supported Node runs: those of parts that depend on its version (`node:sqlite`, processes, packages).
 * The test of the package builds `dist` again, so it does not run beside those that use it.
 */
export const OLDEST_NODE_TESTS: Readonly<Record<string, readonly string[]>> = {
  'store, session and command': ['src/store', 'test/session', 'src/cli', ...COMMAND_TESTS],
  package: ['test/package/tarball.test.ts'],
};

/** The folder of its programs, from the workspace `tools/oldest-node`; undefined where there is none for this machine. */
export function findOldestNode(): string | undefined {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const folder = join(process.cwd(), 'tools/oldest-node/node_modules', `node-${platform}-${process.arch}`, 'bin');
  return existsSync(folder) ? folder : undefined;
}
