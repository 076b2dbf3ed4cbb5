import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repl } from '../port.ts';
import type { PyodideBackend } from './backend.ts';
import { openTestRepl, testBackend } from './testing.ts';
import { PAGE } from './worker/protocol.ts';

/**
 * Pages that a trivial cell may change. It changes some 70; without the rehearsal and the filled gaps of the base snapshot
 * (`guest/fathom_pyodide/gaps.py`) it changed 300, as its objects lay in gaps all over the memory, and 90 where the runtime's
 * functions were made again for each cell.
 */
const MOST_PAGES = 120;

let backend: PyodideBackend;
let repl: Repl;
beforeAll(async () => {
  backend = testBackend({ most: 'process', spares: 0 });
  repl = await openTestRepl(backend);
}, 60_000);
afterAll(() => backend.close());

/** Pages of 16 KiB that only the second of two snapshots around a cell holds. */
async function pagesOf(code: string): Promise<number> {
  await repl.snapshot('before');
  expect((await repl.execute({ code, handle: 'e1' })).error).toBeNull();
  const { bytes } = await repl.snapshot('after');
  for (const name of ['before', 'after']) await repl.deleteSnapshot(name);
  return bytes / PAGE;
}

test('the snapshot after a trivial cell writes few pages', async () => {
  await repl.execute({ code: 'x = 0', handle: 'e1' });
  for (const code of ['x = 1', 'x = 2', 'print(1)', 'y = [1, 2]']) {
    expect(await pagesOf(code), code).toBeLessThan(MOST_PAGES);
  }
}, 60_000);

test('a cell that writes to many pages shows in the count', async () => {
  expect(await pagesOf(`z = b"z" * ${400 * PAGE}`)).toBeGreaterThan(400);
}, 60_000);
