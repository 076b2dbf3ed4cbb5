/**
 * The suites on the machine's plain Python: with threads, and in `npm run soak` as on a backend without them. The embedded
 * REPL is such a backend, and passes the same suites.
 */
import { describe, test } from 'vitest';
import { describeHostileCells, describeReplConformance, type ReplCapabilities } from './index.ts';
import { findPython, plainPython } from './plain-python.ts';

const python = findPython();
const plain: ReplCapabilities = {
  least: 'none',
  threads: true,
  subprocess: true,
  snapshots: false,
  softInterrupt: true,
  bash: false,
  isolated: false,
  memoryLimit: false,
  diskLimit: false,
};

if (python.path === undefined) {
  console.warn(`The plain conformance run is left out: ${python.reason}.`);
  describe.skip('plain Python', () => {
    test('is not on this machine', () => {});
  });
} else {
  const path = python.path;
  const withoutThreads = ['plain Python without threads', { ...plain, threads: false }] as const;
  for (const [name, capabilities] of [
    ['plain Python', plain] as const,
    ...(process.env.FATHOM_SOAK === undefined ? [] : [withoutThreads]),
  ]) {
    const open = async () => plainPython({ python: path, threads: capabilities.threads });
    describeReplConformance(name, open, capabilities);
    describeHostileCells(name, open, capabilities);
  }
}
