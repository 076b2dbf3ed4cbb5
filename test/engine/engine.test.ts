import { describe, expect, it } from 'vitest';
import { contexts, projected } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, play, playToFailure, promptOf, rlmOf } from './harness.ts';

describe('the conversation', () => {
  it('with stopAfterFirstBlock ends a reply with its first command, in whatever pieces it comes', async () => {
    const reply = `Let me look.\n${cell('a = 1')}\nIt printed 7.\n${cell('a = 7')}\nFINAL(7)`;
    const { result, root } = await play({
      context: 'x',
      root: [reply, 'FINAL_VAR(a)'],
      options: { prompt: { stopAfterFirstBlock: true } },
    });
    expect(result).toMatchObject({ answer: '1', turns: 2 });
    expect(root.requests[1]?.messages.at(-2)).toEqual({
      role: 'assistant',
      content: reply.slice(0, reply.indexOf('It')),
    });
  });

  it('is append-only: system, query, then each reply exactly as emitted and one message of feedback', async () => {
    const first = `I look.\n\n${cell('print(context)')}  \n`;
    const { root } = await play({ context: 'abc', root: [first, cell('FINAL(1)')] });
    const [before, after] = [root.requests[0]?.messages ?? [], root.requests[1]?.messages ?? []];
    expect(before.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(after.slice(0, 2)).toEqual(before);
    expect(after[2]).toEqual({ role: 'assistant', content: first });
    expect(after.slice(3).map(({ role }) => role)).toEqual(['user']);
  });

  it('never holds the body of the context', async () => {
    const secret = 'MARKER-7f3a91';
    const half = 'The quick brown fox. '.repeat(250_000);
    const { root, events } = await play({
      context: half + secret + half,
      root: [cell('found = context.find("MARKER")', 'print(found > 0)'), cell('FINAL(str(found))')],
    });
    expect(JSON.stringify(root.requests)).not.toContain(secret);
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  it('holds no half characters: what no provider takes is replaced, in what is sent and in what comes back', async () => {
    const { result, root, sub } = await play({
      query: 'What is \ud800?',
      context: 'a\ud800b',
      root: [
        `${cell('kept = "\ud800"', 'print([len(context), kept])')}\nQUERY_LLM(say \ud800)`,
        'FINAL("it is \\udc00")',
      ],
      sub: ['so \ud800'],
    });
    expect(result.answer).toBe('it is \ufffd');
    for (const { messages } of [...root.requests, ...sub.requests])
      for (const { content } of messages) expect(content.isWellFormed()).toBe(true);
    expect(promptOf(root, 1)).toContain("[3, '\ufffd']");
    expect(promptOf(root, 1)).toContain('so \ufffd');
  });

  it('says which names of the runtime come back after a cell has bound them', async () => {
    const { root } = await play({ context: 'x', root: [cell('context = "mine"'), cell('FINAL(context)')] });
    expect(promptOf(root, 1)).toMatch(/Note: `context` is reserved; your assignment was undone/);
  });

  it('an empty reply is a turn that ran nothing', async () => {
    const { result, root } = await play({ context: 'x', root: ['', '', cell('FINAL("ok")')] });
    expect(result.answer).toBe('ok');
    expect(root.requests[2]?.messages.at(-2)).toEqual({ role: 'assistant', content: '(empty reply)' });
  });

  it('a reply cut off by length has its last cell fed back, not run', async () => {
    const { result, root } = await play({
      context: 'x',
      root: [{ text: '```repl\nprint("half', finishReason: 'length' }, cell('FINAL("ok")')],
    });
    expect(result).toMatchObject({ answer: 'ok', turns: 2 });
    expect(promptOf(root, 1)).toMatch(/cut off/i);
  });
});

describe('commands', () => {
  it('snapshot and rollback restore variables and files', async () => {
    const { result } = await play({
      context: 'x',
      root: [
        `${cell('v = [1]', 'open("f.txt", "w").write("one")')}\nSNAPSHOT(before)`,
        `${cell('v.append(2)', 'open("f.txt", "w").write("two")')}\nROLLBACK(before)`,
        cell('FINAL([v, open("f.txt").read()])'),
      ],
    });
    expect(result.answer).toBe('[[1], "one"]');
  });

  it('an unknown snapshot fails with its name', async () => {
    const { root } = await play({ context: 'x', root: ['ROLLBACK(nowhere)', cell('FINAL(1)')] });
    expect(promptOf(root, 1)).toContain('snapshot-not-found');
  });

  it('bash works on the files of the cells', async () => {
    const { root } = await play({
      context: 'x',
      root: [`${cell('open("f.txt", "w").write("hello\\n")')}\nRUN(cat f.txt)`, cell('FINAL(1)')],
    });
    expect(promptOf(root, 1)).toContain('hello');
  });

  it('history reads outputs by their handle', async () => {
    const { result } = await play({
      context: 'x',
      root: [cell('print("one")'), cell('FINAL([history["t1.0"].strip(), history[0]["query"], len(history)])')],
    });
    expect(result.answer).toBe('["one", "What is it?", 2]');
  });
});

describe('a cell that does not stop', () => {
  it('is killed; the model learns what was lost, and its variables and files are as they were', async () => {
    const { result, root, events } = await play({
      context: 'x',
      limits: { cellTimeoutMs: 500 },
      root: [
        cell('kept = [1]', 'open("f", "w").write("kept")'),
        cell('kept.append(2)', 'sum(range(10**13))'),
        cell('FINAL([kept, open("f").read()])'),
      ],
    });
    expect(result.answer).toBe('[[1], "kept"]');
    expect(promptOf(root, 2)).toMatch(/The REPL was restarted: .*as they were before/s);
    expect(events.filter((event) => event.type === 'repl.restarted')).toHaveLength(1);
  });
});

describe('contexts', () => {
  it('by name are variables and a mapping', async () => {
    const { result } = await play({
      context: contexts({ a: 'x', b: [1, 2] }),
      root: [cell('FINAL([a, b[1], sorted(context), context["a"]])')],
    });
    expect(result.answer).toBe('["x", 2, ["a", "b"], "x"]');
  });

  it('that are projected are read on demand', async () => {
    const reads: string[] = [];
    const rows = projected({
      list: {
        length: () => 1_000,
        slice: (from, to) => {
          reads.push(`${from}-${to}`);
          return Array.from({ length: to - from }, (_, i) => from + i);
        },
      },
    });
    const { result } = await play({
      context: rows,
      root: [cell('FINAL([len(context), context[-1], list(context[2:4])])')],
    });
    expect(result.answer).toBe('[1000, 999, [2, 3]]');
    // In pages of 64 items, and no page that nothing asks for.
    expect(reads).toEqual(['960-1000', '0-64']);
  });

  it('that are projected and not cut by code point fail the read instead of shifting what follows', async () => {
    const text = '😀'.repeat(3);
    const halves = projected({ text: { length: () => 6, slice: (start, stop) => text.slice(start, stop) } });
    const { result } = await play({
      context: halves,
      root: [cell('try: context[:2]', 'except ValueError as error: FINAL(str(error))')],
    });
    expect(result.answer).toContain('by code point');
  });

  it.each(['context_0', '__builtins__', 'FINAL'])('cannot be named %s', async (name) => {
    const { error } = await playToFailure({ context: contexts({ [name]: 'x' }), root: [] });
    expect(error.code).toBe('reserved-name');
  });
});

describe('tools', () => {
  it('are called by keyword; errors raise with type and message', async () => {
    const { result, events } = await play({
      context: 'x',
      tools: {
        add: Object.assign(({ a, b }: { a: number; b: number }) => a + b, { description: 'Adds.' }),
        fail: () => {
          throw new RangeError('too far');
        },
      },
      root: [cell('try:', '    fail()', 'except Exception as error:', '    FINAL([add(a=1, b=2), str(error)])')],
    });
    expect(result.answer).toContain('3');
    expect(result.answer).toContain('too far');
    expect(events.filter((event) => event.type === 'tool.completed').map(({ ok }) => ok)).toEqual([false, true]);
  });
});

describe('events', () => {
  it('report the run from its first to its one terminal record', async () => {
    const { events, result } = await play({ context: 'x', root: [cell('print(1)'), cell('FINAL(2)')] });
    const types = events.map(({ type }) => type);
    expect(types.find((type) => type !== 'run.progress')).toBe('run.started');
    expect(types.at(-1)).toBe('run.completed');
    expect(events.at(-1)).toMatchObject({
      outcome: 'converged',
      stop: 'final',
      turns: 2,
      rootModel: 'scripted/root',
      subCallModel: 'scripted/sub',
    });
    expect(events.filter((event) => event.type === 'usage.recorded')).toHaveLength(result.usage.calls);
  });

  it('have the time of each model round trip, that of the last call at a limit too', async () => {
    const replies = [cell('llm_query("sub")'), 'FINAL("best")'].map((text) => ({ text, latencyMs: 40 }));
    const { events } = await play({ context: 'x', root: replies, options: { limits: { maxTurns: 1 } } });
    const measured = events.flatMap((event) => (event.type === 'usage.recorded' ? [event] : []));
    expect(measured.map(({ purpose }) => purpose)).toEqual(['root', 'sub', 'final']);
    for (const { purpose, durationMs = -1 } of measured) {
      expect(durationMs, purpose).toBeGreaterThanOrEqual(purpose === 'sub' ? 0 : 35);
    }
  });

  it('progress carries nothing but the position of the run', async () => {
    const { events } = await play({ context: 'x', root: [cell('FINAL(2)')] });
    for (const event of events.filter(({ type }) => type === 'run.progress')) {
      expect(Object.keys(event).sort()).toEqual(
        ['fraction', 'maxTurns', 'runId', 'seq', 'status', 'time', 'traceId', 'turn', 'type', 'v'].sort(),
      );
    }
  });
});

describe('a request that cannot be right', () => {
  it.each([
    ['no request', undefined, 'invalid-option'],
    ['no query', { query: ' ' }, 'invalid-option'],
    ['an output that is not a schema', { query: 'q', output: { type: 'object' } }, 'invalid-option'],
    ['a signal that is an empty object', { query: 'q', signal: {} }, 'invalid-option'],
    ['tools that are null', { query: 'q', tools: null }, 'invalid-option'],
    ['limits that are null', { query: 'q', limits: null }, 'invalid-limit'],
    ['a REPL that is an empty object', { query: 'q', repl: {} }, 'invalid-option'],
    ['a model that is an empty object', { query: 'q', model: {} }, 'model-not-found'],
    ['a sub-model that is a number', { query: 'q', subModel: 5 }, 'model-not-found'],
  ])('rejects the run before anything is sent: %s', async (_, request, code) => {
    const model = scriptedModel([]);
    const run = rlmOf({ model }).completion(request as never);
    await expect(Promise.resolve(run)).rejects.toMatchObject({ code, userAction: true });
    expect(model.requests).toHaveLength(0);
  });
});
