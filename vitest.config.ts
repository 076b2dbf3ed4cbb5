import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/longest-first.ts';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests of code that leaves the process as it was: a worker runs many of these files, and loads the sources once. */
const PURE = [
  'src/*.test.ts',
  'src/{admission,compact,completion,door,engine,event,evidence,journal,ledger,model,prompt,protocol,run}/**/*.test.ts',
  'src/{test-doubles,tools,view}/**/*.test.ts',
  'src/cli/{answer,chat,runs,screen,watch}/**/*.test.ts',
  'src/repl/*.test.ts',
  'src/repl/channel/*.test.ts',
];

/** Tests of runs whose harnesses share a worker: the library is loaded, and a REPL's walls are proved, once for many files. */
const SHARING = [
  'test/ai-sdk/*.test.ts',
  'test/engine/!(queue|live).test.ts',
  'test/mcp/{codes,hostile,http,roots,tools}.test.ts',
  'test/server/{access,ai-sdk-providers,chat,errors,responses,runs,sessions}.test.ts',
];

export default defineConfig({
  // The package by its own name, as its examples import it, is the sources.
  resolve: {
    alias: [
      { find: /^fathom-rlm$/, replacement: source('src/index.ts') },
      { find: /^fathom-rlm\/ai-sdk$/, replacement: source('src/ai-sdk/index.ts') },
      { find: /^fathom-rlm\/server$/, replacement: source('src/server/index.ts') },
      { find: /^fathom-rlm\/test$/, replacement: source('src/test.ts') },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'apart', include: ['src/**/*.test.ts', 'test/**/*.test.ts'], exclude: [...PURE, ...SHARING] },
      },
      { extends: true, test: { name: 'sharing', include: SHARING, isolate: false } },
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
    ],
    // Checks that every test file runs.
    setupFiles: ['test/every-run.ts'],
    // Processes that tests start from the sources find them compiled by the first of them: half of their time is that.
    env: { NODE_COMPILE_CACHE: source('node_modules/.cache/fathom-tests') },
    // Two cores: a third worker works while the others wait for a process or a deadline; more make REPL processes compete.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real sockets, processes and kills on a machine that others use: a test that fails three times is red, and one that
    // failed once is shown.
    retry: process.env.CI === undefined ? 0 : 2,
  },
});
