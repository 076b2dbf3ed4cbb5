import { defineConfig } from 'tsdown';
import { buildPage } from './tools/build-page.ts';
import { writeThirdPartyNotices } from './tools/third-party-notices.ts';

/** Names and lines stay as they are, for stack traces; documentation is in the declarations. */
const SHARED = {
  format: 'esm',
  platform: 'node',
  target: 'node22',
  outputOptions: { comments: { jsdoc: false } },
} as const;

export default defineConfig([
  {
    ...SHARED,
    entry: {
      index: 'src/index.ts',
      'ai-sdk': 'src/ai-sdk/index.ts',
      cluster: 'src/cluster/index.ts',
      compact: 'src/compact/index.ts',
      guard: 'src/guard/index.ts',
      mcp: 'src/mcp/index.ts',
      postgres: 'src/store/postgres/index.ts',
      server: 'src/server/index.ts',
      test: 'src/test.ts',
      'cli/main': 'src/cli/main.ts',
    },
    dts: true,
    clean: true,
    hooks: { 'build:done': () => buildPage('dist/page') },
  },
  {
    // With its parsers, which are development dependencies: users of other parts install none of them.
    ...SHARED,
    entry: { index: 'src/policy/index.ts' },
    outDir: 'dist/policy',
    dts: true,
    clean: false,
    deps: { onlyBundle: false },
    hooks: {
      'build:done': () =>
        writeThirdPartyNotices({
          folder: 'dist/policy',
          subject: 'The modules of this folder',
          packages: ['@lezer/python', '@lezer/common', '@lezer/lr', '@lezer/highlight', 'unbash'],
        }),
    },
  },
  {
    // The official MCP client as one file: it is a development dependency, so that users of other parts do not install it.
    ...SHARED,
    entry: { main: 'src/cli/mcp-client/main.ts' },
    outDir: 'dist/cli/mcp-client',
    dts: false,
    clean: false,
    minify: true,
    deps: { alwaysBundle: /^[^.]/, onlyBundle: false },
    hooks: {
      'build:done': () =>
        writeThirdPartyNotices({
          folder: 'dist/cli/mcp-client',
          subject: 'The modules of this folder',
          packages: ['@modelcontextprotocol/client'],
        }),
    },
  },
  {
    // A worker thread of its own.
    ...SHARED,
    entry: { 'validator-worker': 'src/schema/validator-worker.ts' },
    outDir: 'dist/schema',
    dts: false,
    clean: false,
  },
  {
    // The code inside the embedded REPL's own process: it may read its folder and no other part of this package.
    ...SHARED,
    entry: { main: 'src/repl/pyodide/worker/main.ts', prove: 'src/repl/pyodide/worker/prove.ts' },
    outDir: 'dist/repl/pyodide/worker',
    dts: false,
    clean: false,
  },
  {
    // just-bash as one file: it is a development dependency, so that users install neither it nor its many packages.
    ...SHARED,
    entry: { 'just-bash': 'node_modules/just-bash/dist/bundle/browser.js' },
    outDir: 'dist/repl/pyodide/shell',
    dts: false,
    clean: false,
    minify: true,
    deps: { alwaysBundle: /^[^.]/, onlyBundle: false },
    hooks: {
      'build:done': () =>
        writeThirdPartyNotices({
          folder: 'dist/repl/pyodide/shell',
          subject: 'just-bash.mjs',
          packages: ['just-bash'],
        }),
    },
  },
  {
    // The process that converts documents: it may read its folder and one file; that of `sql` loads DuckDB by its path. The parsers are development dependencies, in
    // chunks that are loaded for the kinds they are for.
    ...SHARED,
    entry: { main: 'src/convert/worker/main.ts', sql: 'src/convert/worker/sql.ts' },
    outDir: 'dist/convert/worker',
    dts: false,
    clean: false,
    minify: true,
    deps: { alwaysBundle: /^[^.]/, onlyBundle: false },
    hooks: {
      'build:done': () =>
        writeThirdPartyNotices({
          folder: 'dist/convert/worker',
          subject: 'The modules of this folder',
          within: [
            'pdf.js (Apache-2.0), within unpdf\n\nCopyright Mozilla Foundation. Its licence is that of Fathom: see LICENSE.',
          ],
          packages: [
            'chardet',
            'htmlparser2',
            'hyparquet',
            'image-size',
            'modern-tar',
            'postal-mime',
            'unpdf',
            'yauzl',
          ],
        }),
    },
  },
]);
