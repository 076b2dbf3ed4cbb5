/** Items of `history` keep their ids: across rollback, compaction, resume, the completions of a session, and its reopening. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore, sqliteStore } from '../../src/index.ts';
import { png } from '../../src/model/image.testing.ts';
import { type ScriptedReply, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { cell, play, rlmOf } from '../engine/harness.ts';
import { made } from '../engine/image-cells.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-history-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Prints what `history` holds, with the kinds of commands by their ids. */
const LOOK = [
  'def items():',
  '    return [(i["id"], i["kind"], [(c["id"], c["ok"]) for c in i.get("commands", ())]) for i in history]',
];
const ALL = '[items(), history["q1"]["query"], history["t1"]["reply"][:3], history["t1.0"].strip()]';

const root = (replies: readonly ScriptedReply[] | ScriptedResponder) => scriptedModel(replies, { modelId: 'root' });

describe('an item of history', () => {
  it('is a message, a turn with reasoning, code, output and error, an image, a final answer, an error', async () => {
    const model = {
      ...root([
        { text: `<think>first, look</think>\n${cell(made('png', png(8, 8)), 'show(png)', 'print("out")', '1/0')}` },
        'FINAL(seven)',
        new Error('down'),
      ]),
      provider: 'openai',
      id: 'openai/gpt-4o',
    };
    const session = await rlmOf({ model }).createSession();
    await session.completion({ query: 'one', context: 'c' });
    await Promise.resolve(session.completion({ query: 'two' })).catch(() => undefined);
    await session.execute('x = 5');
    const read = async (code: string): Promise<unknown> => {
      await session.execute(`import json\nv = json.loads(json.dumps(${code}))`);
      return await session.getVariable('v');
    };
    // Each cell of the session adds an item: the first six are those of the completions and of `x = 5`.
    expect(await read('[[i["id"], i["kind"]] for i in history[:7]]')).toEqual([
      ...[
        ['q1', 'query'],
        ['t1', 'turn'],
        ['t2', 'turn'],
        ['f1', 'final'],
        ['q2', 'query'],
        ['x2', 'error'],
      ],
      ['e1', 'execute'],
    ]);
    expect(await read('history["t1"]')).toMatchObject({
      id: 't1',
      commands: [{ id: 't1.0', kind: 'cell', ok: false, error: { type: 'ZeroDivisionError' } }],
      images: [{ id: 't1.i0', kind: 'image', mediaType: 'image/png', width: 8, height: 8 }],
    });
    expect(await read('history["t1"]["commands"][0]["code"]')).toContain('show(png)');
    expect(await read('history["t1.0"]')).toContain('out');
    expect(await read('history["t1.i0"]["sha256"]')).toMatch(/^[0-9a-f]{64}$/);
    expect(await read('history["f1"]')).toEqual({ id: 'f1', kind: 'final', outcome: 'converged', text: 'seven' });
    expect(await read('history["x2"]')).toMatchObject({
      kind: 'error',
      outcome: 'failed',
      reason: expect.stringContaining('down'),
    });
    expect(await read('history["q2"]["query"]')).toBe('two');
    await session.close();
  });

  it('has the reasoning that the provider returns', async () => {
    const { result } = await play({
      root: [{ text: cell('1'), reasoning: 'let me see' } as never, cell('FINAL(history["t1"]["reasoning"])')],
    });
    expect(result.answer).toBe('let me see');
  });

  it('keeps its id across snapshot and rollback', async () => {
    const { result } = await play({
      root: [
        cell(...LOOK, 'print("one")'),
        'SNAPSHOT(s)',
        cell('print("two")'),
        'ROLLBACK(s)',
        cell(`FINAL([items(), history["t3.0"].strip(), history["t1.0"].strip()])`),
      ],
    });
    expect(JSON.parse(result.text)).toEqual([
      [
        ['q1', 'query', []],
        ['t1', 'turn', [['t1.0', true]]],
        ['t2', 'turn', expect.anything()],
        ['t3', 'turn', [['t3.0', true]]],
        ['t4', 'turn', expect.anything()],
      ],
      ...['two', 'one'],
    ]);
  });

  it('keeps its id across the completions of a session and its reopening', async () => {
    const path = join(folder, 'session');
    const script = [cell(...LOOK, 'print("a")'), cell('FINAL(1)'), new Error('down'), cell('FINAL(2)')];
    const open = (replies: readonly ScriptedReply[]) => {
      const store = sqliteStore(path);
      return { store, rlm: rlmOf({ model: root(replies), store }) };
    };
    const first = open(script);
    const session = await first.rlm.createSession();
    await session.execute('print("own")');
    await session.completion({ query: 'one', context: 'c' });
    await Promise.resolve(session.completion({ query: 'two' })).catch(() => undefined);
    await session.bash('echo hi');
    await session.completion({ query: 'three' });
    const before = (await session.execute(ALL)).value;
    expect(before).toContain("('e1', 'execute'");
    expect(before).toContain("('f3', 'final'");
    const error = (await session.execute('history["x2"]')).value;
    await first.rlm.close();
    await first.store.close();

    for (let time = 0; time < 2; time += 1) {
      const next = open([]);
      const again = await next.rlm.openSession(session.id);
      expect(again.status().diverged).toBeUndefined();
      // The cells that looked are items as well.
      expect((await again.execute(`[${ALL}[0][:${14}], ${ALL}[1:]]`)).ok).toBe(true);
      expect((await again.execute('history["x2"]')).value).toBe(error);
      const now = (await again.execute(ALL)).value ?? '';
      expect(now.startsWith(before?.slice(0, before.indexOf('], ')) ?? 'nothing')).toBe(true);
      await next.rlm.close();
      await next.store.close();
    }
  });

  it('keeps its id in a run that is resumed', async () => {
    const reached = Promise.withResolvers<void>();
    let waits = true;
    const model = root(async ({ callIndex, signal }) => {
      if (callIndex === 0) return cell(...LOOK, 'print("one")');
      if (callIndex === 1) return cell('print("two")');
      if (!waits) return cell(`FINAL([items(), history["t2.0"].strip(), ${ALL}[1:]])`);
      reached.resolve();
      return await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    const rlm = rlmOf({ model, store: memoryStore() });
    const run = rlm.completion({ query: 'go', context: 'c' });
    await reached.promise;
    run.pause();
    await Promise.resolve(run).catch(() => undefined);
    waits = false;
    expect(JSON.parse((await rlm.resume(run.id)).text)).toEqual([
      [
        ['q1', 'query', []],
        ['t1', 'turn', [['t1.0', true]]],
        ['t2', 'turn', [['t2.0', true]]],
      ],
      'two',
      ['go', '```', 'one'],
    ]);
  });

  it('keeps its id when its text has left the conversation', async () => {
    const turns = 12;
    const printing = (turn: number): string => cell(`print("n${turn} " + "lorem ipsum " * 900)`);
    const replies = Array.from({ length: turns }, (_, index) => printing(index + 1));
    const model = {
      ...scriptedModel(
        [
          ...replies,
          cell(...LOOK, `FINAL([items(), [history[f"t{n}.0"].split()[0] for n in range(1, ${turns + 1})]])`),
        ],
        { modelId: 'gpt-4-32k' },
      ),
      provider: 'openai',
    };
    let compacted = 0;
    const rlm = rlmOf({
      model,
      onEvent: ({ type }) => {
        if (type === 'context.compacted') compacted += 1;
      },
    });
    const { text } = await rlm.completion({ query: 'q', context: 'c' });
    expect(compacted).toBeGreaterThan(0);
    const [items, firsts] = JSON.parse(text) as [unknown[], string[]];
    expect(items.slice(0, 3)).toEqual([
      ['q1', 'query', []],
      ['t1', 'turn', [['t1.0', true]]],
      ['t2', 'turn', [['t2.0', true]]],
    ]);
    expect(firsts).toEqual(Array.from({ length: turns }, (_, index) => `n${index + 1}`));
  });
});
