/**
 * The suites on the machine's plain Python, where the python backend cannot run: it passes the same suites with the same
 * guest. `npm run soak` runs them with threads, and as on a backend without them. The embedded REPL is such a backend.
 */
import { describe, expect, test } from 'vitest';
import { whyNoPythonBackend } from '../../src/repl/python/testing.ts';
import { LIMITS, testHost } from './bench.ts';
import { describeHostileCells, describeReplConformance, type ReplCapabilities } from './index.ts';
import { findPython, plainPython } from './plain-python.ts';

const python = findPython();
const isSoak = process.env.FATHOM_SOAK !== undefined;
/** The same tests run in src/repl/python/conformance.test.ts. */
const isRepeat = !isSoak && (await whyNoPythonBackend()) === undefined;
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
} else if (isRepeat) {
  describe('plain Python', () => {
    test('a guest without a box answers, with threads and without', async () => {
      for (const threads of [true, false]) {
        const backend = plainPython({ python: python.path ?? '', threads });
        const repl = await backend.open({ limits: LIMITS, host: testHost(), least: 'none' });
        expect(await repl.execute({ code: 'llm_query("here")', handle: 't1.0' })).toMatchObject({
          value: "'echo: here'",
        });
        await backend.close();
      }
    });
  });
} else {
  const path = python.path;
  const withoutThreads = ['plain Python without threads', { ...plain, threads: false }] as const;
  for (const [name, capabilities] of [['plain Python', plain] as const, ...(isSoak ? [withoutThreads] : [])]) {
    const open = async () => plainPython({ python: path, threads: capabilities.threads });
    describeReplConformance(name, open, capabilities);
    describeHostileCells(name, open, capabilities);
  }
}
