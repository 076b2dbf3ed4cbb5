import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/longest-first.ts';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
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
