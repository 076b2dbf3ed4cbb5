/** Functions above 50 lines: each has a reason. */
import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Functions of the package that are longer, by file. Most are closures: short functions over variables that they share, which
 * a class would spread over fields.
 */
const REASONS: Readonly<Record<string, string>> = {
  'src/event/open-telemetry.ts': 'a sink over the spans under way, and a table of one case per event',
  'src/protocol/command-line.ts': 'a reader over one open command; its functions call each other',
  'src/protocol/reasoning.ts': 'a filter over one open block; its functions call each other',
  'src/protocol/visible-lines.ts': 'a reader over one open command and block; its functions call each other',
  'src/repl/channel/guest-link.ts': 'a connection: all frames of one guest share its running command and its failure',
  'src/repl/channel/guest-repl.ts': 'the operations of one REPL, which share its queue',
  'src/repl/channel/parts.ts': 'a reader over the position in one frame',
  'src/repl/channel/request-desk.ts': 'the open requests of one guest, and what opens, answers and ends them',
  'src/repl/pyodide/driver.ts': 'the worker of one REPL, which a recovery replaces under all its operations',
  'src/repl/pyodide/pool.ts': 'the workers of one backend: starting, spare, living',
  'src/repl/pyodide/worker-handle.ts': 'the steps of a start, and the handle over what they opened',
  'src/repl/pyodide/worker/device.ts': 'the device and its table of file operations, over two buffers',
  'src/repl/pyodide/worker/files.ts': 'the files of the current image, and what takes, restores and drops one',
  'src/repl/pyodide/worker/images.ts': 'the table of images, and what makes, finds and releases one',
  'src/repl/pyodide/worker/pages.ts': 'the pages of the current image, and what compares, takes and restores them',
  'src/repl/pyodide/worker/slots.ts': 'the slots of one store with their counts and their cache',
  'src/repl/python/backend.ts': 'the REPLs of one backend and its start',
  'src/repl/python/python-repl.ts': 'the process of one REPL, which a recovery replaces under all its operations',
  'src/repl/python/sources.ts': 'the images of one zygote, and the orders to make, bring and drop them',
  'src/repl/python/supervisor-connection.ts': 'a connection: requests that wait, and what ends them',
  'src/repl/python/zygote-process.ts': 'the steps of a start, and the handle over what they opened',
  'src/rlm.ts': 'the public object over the parts that all its runs and sessions share',
  'src/session/sessions.ts': 'the steps of building a session, all undone by one catch',
  'src/store/memory.ts': 'the tables of one store, which share its state',
  'src/store/postgres/blobs.ts': 'the operations on values, which share how one is placed and read',
  'src/store/sqlite/blob-folder.ts': 'the operations of one folder, which share its queue',
};

/** Files of the package with a function of more than 50 lines, by biome's count. */
function longFunctions(): readonly string[] {
  const rule = ['--only=complexity/noExcessiveLinesPerFunction', '--max-diagnostics=none', '--reporter=github'];
  const { stdout } = spawnSync('biome', ['lint', ...rule, 'src'], { cwd: ROOT, encoding: 'utf8' });
  const found = [...stdout.matchAll(/file=([^,]+),/g)].map(([, path = '']) => relative(ROOT, path));
  return [...new Set(found)];
}

const isTest = (path: string): boolean => /(?:\.test|\.testing|\/testing)\.ts$/.test(path);

it('are found, tests with their many cases among them', () => {
  expect(longFunctions().filter(isTest).length).toBeGreaterThan(10);
});

it('have a reason each, and no reason is left over', () => {
  const found = longFunctions().filter((path) => !isTest(path));
  expect(found.sort()).toEqual(Object.keys(REASONS).sort());
});
