/** A text of 20 GB as a context: a sparse file, of which a cell reads some places. The memory of the host stays flat. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createRlm, fromFile } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { onEachBackend } from '../session/on-each-backend.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Bytes of the file. It takes a few blocks on disk. */
const BYTES = 20_000_000_000;
const MIDDLE = Math.floor(BYTES / 2);
const HEAD = 'first line of the log with some words in it\n'.repeat(4_000);
const NEEDLE = '\nneedle in the middle: 4711\nsecond\n';
/** Bytes of memory above those of the host before. */
const MOST_MORE = 200_000_000;

let folder = '';
let path = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-huge-'));
  path = join(folder, 'huge.log');
  const file = openSync(path, 'w');
  ftruncateSync(file, BYTES);
  writeSync(file, HEAD, 0);
  writeSync(file, NEEDLE, MIDDLE);
  writeSync(file, '\nlast line\n', BYTES - 11);
  closeSync(file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await onEachBackend(({ repl }) => {
  it('is read at any place, within bounds of memory', async () => {
    const rlm = createRlm({ model: scriptedModel([], { modelId: 'root' }), repl });
    await (await rlm.createSession({ context: 'warm' })).execute('1');
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    try {
      const session = await rlm.createSession({ context: fromFile(path) });
      const value = async (code: string) => (await session.execute(code)).value;
      expect(await value('context.size, len(context.lines), context[:10], context[-11:]')).toBe(
        `(${BYTES}, 4005, 'first line', '\\nlast line\\n')`,
      );
      expect(await value(`context[${MIDDLE}:${MIDDLE + 27}], context.lines[4001:4003]`)).toBe(
        `('\\nneedle in the middle: 4711', ['needle in the middle: 4711', 'second'])`,
      );
      expect(await value(`context.find("4711", ${MIDDLE - 2_000_000}), context.lines[3999][:5]`)).toBe(
        `(${MIDDLE + 23}, 'first')`,
      );
      const { error } = await session.execute('context.lines[4000]');
      expect(error).toMatchObject({ type: 'ValueError', message: expect.stringContaining('huge.log: line 4000') });
      expect(most - before).toBeLessThan(MOST_MORE);
    } finally {
      clearInterval(watch);
      await rlm.close();
    }
  });
});
