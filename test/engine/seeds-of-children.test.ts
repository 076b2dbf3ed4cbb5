/** Seed values of children, and seed values and attachments of runs that are resumed. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CompletionError, contexts, fromFiles, memoryStore, projected, sqliteStore } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, play, rlmOf } from './harness.ts';
import { useSeedFiles } from './seed-files.ts';

const files = useSeedFiles();
const { file } = files;

describe('a child', () => {
  const limits = { maxDepth: 2 };
  it('gets seed values of its parent by value and by reference', async () => {
    let reads = 0;
    const book = projected({
      text: {
        length: () => 1_000_000,
        slice: (start: number, stop: number) => {
          reads += stop - start;
          return 'x'.repeat(stop - start);
        },
      },
    });
    const { result, sub } = await play({
      limits,
      context: contexts({ docs: fromFiles(['a.txt', 'p.html', 'b.txt'], { cwd: files.folder }), book }),
      seed: { given: 'handed down' },
      root: [
        cell(
          'big = 2 ** 70',
          'r = rlm_query("look", "its context", seed={"big": big, "words": ["é", {"k": 1}], "text": "t" * 3,',
          '              "book": book, "page": docs["p.html"], "some": [docs[1], docs[0]], "given": seed["given"], "all": docs})',
          'FINAL(r)',
        ),
      ],
      sub: [
        cell(
          'FINAL([str(seed["big"]), seed["words"], seed["text"], len(seed["book"]), seed["book"][5:8], seed["page"].title,',
          '       [d.path for d in seed["some"]], seed["some"][0].text, seed["given"], [d.path for d in seed["all"]], context])',
        ),
      ],
    });
    expect(JSON.parse(result.text)).toEqual([
      ...['1180591620717411303424', ['é', { k: 1 }], 'ttt', 1_000_000, 'xxx', 'T'],
      ...[['b.txt', 'a.txt'], 'beta beta', 'handed down', ['a.txt', 'b.txt', 'p.html'], 'its context'],
    ]);
    expect(reads).toBeLessThan(50_000);
    expect(sub.requests[0]?.prompt).toContain('- `seed["page"]`');
    expect(sub.requests[0]?.prompt).toContain('- `seed["big"]`: int');
  });

  it('of a batch has its own, or those of all', async () => {
    const { result } = await play({
      limits,
      root: [
        cell(
          'rs = rlm_query_batched([{"query": "a", "seed": {"v": 1}}, ("b", "c")], seed={"v": 2})',
          'import asyncio',
          'one = await arlm_query("c", seed={"v": 3})',
          'FINAL([str(r) for r in [*rs, one]])',
        ),
      ],
      sub: () => cell('FINAL(seed["v"])'),
    });
    expect(result.answer).toBe('["1", "2", "3"]');
  });

  it('that is one flat call has them in its prompt', async () => {
    const { sub } = await play({
      context: fromFiles(['a.txt'], { cwd: files.folder }),
      root: [cell('FINAL(rlm_query("q", "ctx", seed={"n": 5, "doc": context[0]}))')],
    });
    expect(sub.requests[0]?.prompt).toContain('Seed values (data, ');
    expect(sub.requests[0]?.prompt).toContain('--- n ---\n5');
    expect(sub.requests[0]?.prompt).toContain('--- doc ---\nalpha');
  });

  it.each([
    ['5', 'seed must be a dict'],
    ['{"a b": 1}', 'the name of a variable'],
    ['{"f": len}', 'must be text, JSON or a value of the context'],
    ['{f"v{i}": 1 for i in range(65)}', 'at most 64'],
  ])('is not started for seed=%s', async (seed, says) => {
    const { result, sub } = await play({
      limits,
      root: [
        cell(
          'try:',
          `    rlm_query("q", seed=${seed})`,
          'except (TypeError, ValueError) as error:',
          '    FINAL(str(error))',
        ),
      ],
    });
    expect(result.answer).toContain(says);
    expect(sub.requests).toHaveLength(0);
  });
});

describe('a run that is resumed', () => {
  /** A root whose second reply waits until the run is paused, and one that continues. */
  function pausing(second: string) {
    const reached = Promise.withResolvers<void>();
    let waits = true;
    const model = scriptedModel(
      async ({ callIndex, signal }) => {
        if (callIndex === 0) return cell('print("begun")');
        if (!waits) return second;
        reached.resolve();
        return await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
      { modelId: 'root' },
    );
    return {
      ...{ model, reached: reached.promise },
      release: () => {
        waits = false;
      },
    };
  }
  const READ = cell(
    'FINAL([seed["v"], seed["f"], attachments["n"].text, attachments["n"].label, attachments["b"].text])',
  );

  it('has its seed values and attachments, and its record has paths in place of content', async () => {
    const path = join(files.folder, 'store');
    const store = sqliteStore(path);
    const root = pausing(READ);
    const rlm = rlmOf({ model: root.model, store });
    await writeFile(join(files.folder, 'secret-marker.txt'), 'content-of-the-file');
    const run = rlm.completion({
      query: 'q',
      seed: { v: [1, 'two'], f: file('secret-marker.txt') },
      attachments: [
        { content: 'note', id: 'n', label: 'L' },
        { content: file('b.txt'), id: 'b' },
      ],
    });
    await root.reached;
    run.pause('later');
    await Promise.resolve(run).catch(() => undefined);
    const record = await store.runs.get(run.id);
    expect(record?.request.seed).toMatchObject([
      { name: 'v', kind: 'json' },
      { name: 'f', kind: 'file', path: join(files.folder, 'secret-marker.txt') },
    ]);
    expect(record?.request.attachments).toMatchObject({
      documents: [{ about: { attachment: { id: 'n', label: 'L' } } }, { file: join(files.folder, 'b.txt') }],
    });
    expect(await readFile(join(path, 'store.sqlite'), 'latin1')).not.toContain('content-of-the-file');
    root.release();
    const { text } = await rlm.resume(run.id);
    expect(JSON.parse(text)).toEqual([[1, 'two'], 'content-of-the-file', 'note', 'L', 'beta beta']);
    await rlm.close();
    await store.close();
  });

  it('is refused where a file has changed, which the error names', async () => {
    const store = sqliteStore(join(files.folder, 'changing'));
    const root = pausing(READ);
    const rlm = rlmOf({ model: root.model, store });
    await writeFile(join(files.folder, 'changes.txt'), 'one');
    const run = rlm.completion({ query: 'q', seed: { f: file('changes.txt') } });
    await root.reached;
    run.pause('later');
    await Promise.resolve(run).catch(() => undefined);
    await writeFile(join(files.folder, 'changes.txt'), 'two');
    const error = await Promise.resolve(rlm.resume(run.id)).catch((failure: CompletionError) => failure);
    expect(error).toMatchObject({
      code: 'context-invalid',
      message: expect.stringContaining('changes.txt has changed'),
    });
    await rlm.close();
    await store.close();
  });

  it('replays a child with the same seed values from the record, and asks again for others', async () => {
    const store = memoryStore();
    const subs: string[] = [];
    const reached = Promise.withResolvers<void>();
    let waits = true;
    const sub = scriptedModel(
      async ({ prompt, signal }) => {
        subs.push(prompt);
        if (subs.length === 2 && waits) {
          reached.resolve();
          await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
        }
        return cell('FINAL(seed["v"])');
      },
      { modelId: 'sub' },
    );
    const model = scriptedModel(
      [cell('a = rlm_query("q", seed={"v": 1})', 'b = rlm_query("q", seed={"v": 2})', 'FINAL(a + b)')],
      {
        modelId: 'root',
      },
    );
    const rlm = rlmOf({ model, subModel: sub, store, limits: { maxDepth: 2 } });
    const run = rlm.completion({ query: 'go' });
    await reached.promise;
    run.pause();
    await Promise.resolve(run).catch(() => undefined);
    waits = false;
    expect((await rlm.resume(run.id)).text).toBe('12');
    // The first child is answered from the record; the second one begins again.
    expect(subs).toHaveLength(3);
  });

  it('a session that is opened again has them in its replayed completions', async () => {
    const path = join(files.folder, 'session');
    const open = () => {
      const store = sqliteStore(path);
      const model = scriptedModel([cell('kept = [seed["v"], attachments["n"].text]', 'FINAL(1)')], { modelId: 'root' });
      return { store, rlm: rlmOf({ model, store }) };
    };
    const first = open();
    const session = await first.rlm.createSession();
    await session.completion({ query: 'q', seed: { v: 'V' }, attachments: [{ content: 'N', id: 'n' }] });
    await first.rlm.close();
    await first.store.close();
    const second = open();
    const again = await second.rlm.openSession(session.id);
    expect((await again.execute('[kept, seed["v"], attachments["n"].text]')).value).toBe("[['V', 'N'], 'V', 'N']");
    expect(again.status().diverged).toBeUndefined();
    await again.close();
    await second.rlm.close();
    await second.store.close();
  });
});
