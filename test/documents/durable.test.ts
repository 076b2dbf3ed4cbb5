/** Documents on each backend: after a rollback, and in a session that is opened again from its store; a changed file is named. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { contexts, createRlm, fromFile, fromFiles, sqliteStore } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { onEachBackend } from '../session/on-each-backend.ts';
import { makePdf, makeWorkbook } from './made-files.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-durable-'));
  writeFileSync(join(folder, 'a.pdf'), await makePdf([['Page one.'], ['Page two.']]));
  writeFileSync(join(folder, 'fees.xlsx'), makeWorkbook('xlsx'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await onEachBackend(({ name, repl }) => {
  afterAll(() => repl.close());
  const given = () =>
    contexts({
      contract: fromFile(join(folder, 'a.pdf')),
      files: fromFiles(['a.pdf', 'fees.xlsx'], { cwd: folder }),
    });
  const openRlm = () => {
    const store = sqliteStore(join(folder, `store-${name}`));
    const rlm = createRlm({ model: scriptedModel([], { modelId: 'root' }), repl, store });
    return { rlm, close: async () => [await rlm.close(), await store.close()] };
  };
  const fees = '[row["Fee"] for row in files["fees.xlsx"].rows]';

  it('are there after a rollback and in a session that is opened again', async () => {
    const first = openRlm();
    const session = await first.rlm.createSession({ context: given() });
    expect((await session.execute('contract.pages[1], files["a.pdf"].pages[0]')).value).toBe(
      "('Page two.', 'Page one.')",
    );
    await session.snapshot('s');
    await session.execute('pages = files["a.pdf"].pages');
    await session.rollback('s');
    // Converted for the first time after the rollback.
    expect((await session.execute(fees)).value).toBe('[12.5, 7]');
    await first.close();

    const next = openRlm();
    const again = await next.rlm.openSession(session.id);
    expect((await again.execute(`contract.pages, ${fees}`)).value).toBe("(['Page one.', 'Page two.'], [12.5, 7])");
    await next.close();

    writeFileSync(join(folder, 'a.pdf'), await makePdf([['Another page.']]));
    const last = openRlm();
    const changed = await last.rlm.openSession(session.id);
    const { error } = await changed.execute('contract.pages');
    expect(JSON.stringify(error)).toContain(join(folder, 'a.pdf'));
    await last.close();
    writeFileSync(join(folder, 'a.pdf'), await makePdf([['Page one.'], ['Page two.']]));
  });

  it('files that have moved are found by resolveFile in a session that is opened again', async () => {
    const path = join(folder, 'moving.txt');
    writeFileSync(path, 'a text that moves');
    const first = openRlm();
    const session = await first.rlm.createSession({ context: fromFile(path) });
    await session.execute('size = len(context)');
    await first.close();
    const moved = join(folder, 'moved.txt');
    renameSync(path, moved);

    const without = openRlm();
    const { error } = await (await without.rlm.openSession(session.id)).execute('context[:6]');
    expect(error?.message).toContain(`the file ${path} is gone`);
    await without.close();

    const next = openRlm();
    const asked: string[] = [];
    const again = await next.rlm.openSession(session.id, {
      resolveFile: (file) => {
        asked.push(file.path);
        return moved;
      },
    });
    expect((await again.execute('context[:6], size')).value).toBe("('a text', 17)");
    expect(asked).toEqual([path]);
    await next.close();
  });
});
