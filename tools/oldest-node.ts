import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The tests that the oldest supported Node runs: those of parts that depend on its version (`node:sqlite`, files, processes, packages). */
export const OLDEST_NODE_TESTS: readonly string[] = [
  ...['src/store', 'src/cli'],
  ...['session', 'session-life', 'replay', 'losses'].map((name) => `test/session/${name}.test.ts`),
  ...['ask', 'ask-stopped', 'context', 'runs', 'session'].map((name) => `test/cli/${name}.test.ts`),
  'test/package/tarball.test.ts',
];

/** The folder of its programs, from the workspace `tools/oldest-node`; undefined where there is none for this machine. */
export function findOldestNode(): string | undefined {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const folder = join(process.cwd(), 'tools/oldest-node/node_modules', `node-${platform}-${process.arch}`, 'bin');
  return existsSync(folder) ? folder : undefined;
}
