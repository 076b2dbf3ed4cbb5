import { describe, expect, it } from 'vitest';
import { contexts, projected, type RunEvent } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, promptOf, rlmOf } from '../engine/harness.ts';
import { opened } from './opened.ts';

describe('a session', () => {
  it('has a ULID and a state', async () => {
    const session = await opened();
    expect(session.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(session.status()).toMatchObject({ id: session.id, state: 'ready', extensions: 0, snapshots: [] });
  });

  it('runs cells on one namespace', async () => {
    const session = await opened();
    await session.execute('x = 20');
    const result = await session.execute('print("out")\nx + 22');
    expect(result).toMatchObject({ ok: true, stdout: 'out\n', stderr: '', value: '42', error: null, timedOut: false });
    expect(result.shown).toContain('42');
    expect(await session.execute('1/0')).toMatchObject({ ok: false, error: { type: 'ZeroDivisionError' } });
    expect(session.status().commands.map(({ id, ok }) => [id, ok])).toEqual([
      ['e1', true],
      ['e2', true],
      ['e3', false],
    ]);
  });

  it('lets a cell name the model of a child, whose cells may name models as well', async () => {
    const child = scriptedModel([cell('FINAL(llm_query("deep", model="scripted/sub"))')], { modelId: 'sub' });
    const session = await opened([], { limits: { maxDepth: 2 } }, { subModel: [child, scriptedModel(['below'])] });
    expect((await session.execute('print(rlm_query("a", model="scripted/sub"))')).stdout).toBe('below\n');
  });

  it('reports an answer of a cell; nothing ends by it', async () => {
    const session = await opened();
    expect(await session.execute('FINAL({"n": 1})')).toMatchObject({ ok: true, answer: '{"n": 1}' });
    expect(session.status().state).toBe('ready');
  });

  it('runs bash on the files of the cells', async () => {
    const session = await opened();
    await session.execute('open("f.txt", "w").write("hello\\n")');
    expect(await session.bash('cat f.txt; exit 3')).toMatchObject({ ok: false, exitCode: 3, stdout: 'hello\n' });
  });

  it('gives and takes variables that are JSON', async () => {
    const session = await opened();
    await session.setVariable('given', { a: [1, null, 'x'] });
    expect((await session.execute('given["a"][2]')).value).toBe("'x'");
    await session.execute('made = {"b": (1, 2)}');
    expect(await session.getVariable('made')).toEqual({ b: [1, 2] });
    expect((await session.variables()).map(({ name }) => name).sort()).toEqual(
      expect.arrayContaining(['given', 'made']),
    );
    await expect(session.getVariable('nowhere')).rejects.toMatchObject({ code: 'variable-not-found' });
    await session.execute('odd = {1, 2}');
    await expect(session.getVariable('odd')).rejects.toMatchObject({ code: 'not-json' });
    await expect(session.setVariable('llm_query', 1)).rejects.toMatchObject({ code: 'reserved-name' });
    await expect(session.setVariable('__builtins__', 1)).rejects.toMatchObject({ code: 'reserved-name' });
    await expect(session.setVariable('not a name', 1)).rejects.toMatchObject({ code: 'invalid-name' });
    await session.execute('digits = 10**5000');
    await expect(session.getVariable('digits')).rejects.toMatchObject({ code: 'not-json' });
    await expect(session.setVariable(undefined as never, 1)).rejects.toMatchObject({ code: 'invalid-option' });
  });

  it.each([undefined, Number.NaN, new Map([[1, 2]]), () => 1, 1n, { at: [new Set()] }])(
    'does not take %s for a variable: it would arrive as something else',
    async (value) => {
      const session = await opened();
      await expect(session.setVariable('v', value as never)).rejects.toMatchObject({ code: 'not-json' });
      expect((await session.variables()).map(({ name }) => name)).not.toContain('v');
    },
  );

  it('refuses invalid code, commands and times', async () => {
    const session = await opened();
    await expect(session.execute(undefined as never)).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(session.bash(null as never)).rejects.toMatchObject({ code: 'invalid-option' });
    for (const options of [null, 5, { signal: 5 }, { signal: {} }])
      await expect(session.execute('1', options as never)).rejects.toMatchObject({ code: 'invalid-option' });
    for (const timeoutMs of [0, -1, Number.NaN])
      await expect(session.execute('1', { timeoutMs })).rejects.toMatchObject({ code: 'invalid-limit' });
    for (const options of [{ maxExtensions: -1 }, { maxExtensions: 0.5 }, { lifetimeMs: 0 }, { lifetimeMs: 1e18 }])
      await expect(opened([], options)).rejects.toMatchObject({ code: 'invalid-limit' });
    expect(session.status()).toMatchObject({ state: 'ready', commands: [] });
  });

  it('has the right state when a completion has been awaited', async () => {
    const session = await opened([cell('made = 1', 'FINAL(1)'), new Error('down')]);
    await session.completion({ query: 'x' });
    expect(session.status()).toMatchObject({ state: 'ready' });
    expect(session.status().variables.map(({ name }) => name)).toContain('made');
    await expect(Promise.resolve(session.completion({ query: 'x' }))).rejects.toMatchObject({ resumable: true });
    expect(session.status().state).toBe('paused');
    await session.execute('1');
    expect(session.status().state).toBe('ready');
  });

  it('runs completions on the same REPL: variables live on, contexts are numbered, history continues', async () => {
    const session = await opened([
      cell('seen = context', 'FINAL("one")'),
      cell('FINAL([seen, context, context_0, context_1, kept, history[0]["query"]])'),
    ]);
    await session.setVariable('kept', 7);
    expect((await session.completion({ query: 'first', context: 'a' })).answer).toBe('one');
    expect((await session.completion({ query: 'second', context: 'b' })).answer).toBe(
      '["a", "b", "a", "b", 7, "first"]',
    );
  });

  it('is named by the start of each of its completions, and of no other run', async () => {
    const started: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'run.started') started.push(event);
    };
    const rlm = rlmOf({ model: scriptedModel(() => 'FINAL(1)', { modelId: 'root' }), onEvent });
    const session = await rlm.createSession();
    await session.completion({ query: 'in the session' });
    await rlm.completion({ query: 'alone' });
    expect(started).toMatchObject([{ query: 'in the session', sessionId: session.id }, { query: 'alone' }]);
    expect(started[1]).not.toHaveProperty('sessionId');
  });

  it('takes an empty context for a context', async () => {
    const session = await opened([], { context: '' });
    expect((await session.execute('context, context_0')).value).toBe("('', '')");
    const named = await opened([], { context: contexts({ rows: [] }) });
    expect((await named.execute('rows, dict(context)')).value).toBe("([], {'rows': []})");
  });

  it('lets a completion begin without the answer of an earlier one', async () => {
    const session = await opened([
      cell('answer["content"] = "of the first"', 'answer["ready"] = True', 'FINAL("first")'),
      'I do not know.',
      'Nothing found.',
    ]);
    expect((await session.completion({ query: 'first' })).answer).toBe('first');
    const second = await session.completion({ query: 'second', limits: { maxTurns: 1 } });
    expect(second).toMatchObject({ outcome: 'exhausted', text: 'Nothing found.' });
  });

  it('lets a completion without a context work on the one there is, also after a rollback', async () => {
    const root = scriptedModel(
      [
        'FINAL(a guess)',
        cell('FINAL([context, context_0])'),
        cell('FINAL(context)'),
        cell('FINAL([context, context_0])'),
      ],
      { modelId: 'root' },
    );
    const session = await rlmOf({ model: root }).createSession({ context: 'base' });
    await session.snapshot('before');
    expect((await session.completion({ query: 'x' })).answer).toBe('["base", "base"]');
    expect(promptOf(root, 0)).toContain('`context` = `context_0`: str, 4 characters');
    expect((await session.completion({ query: 'x', context: 'newer' })).answer).toBe('newer');
    await session.rollback('before');
    expect((await session.completion({ query: 'x' })).answer).toBe('["newer", "base"]');
    expect(promptOf(root, 3)).toContain('`context` = `context_1`: str, 5 characters');
  });

  it('continues reading what an earlier completion projected', async () => {
    const session = await opened([
      cell('FINAL(context[0])'),
      cell('FINAL([context[0], context_0[1], list(context_1)])'),
    ]);
    const rows = (...items: string[]) => projected(items);
    expect((await session.completion({ query: 'x', context: rows('a', 'b') })).answer).toBe('a');
    expect((await session.execute('context_0[1]')).value).toBe("'b'");
    const second = await session.completion({ query: 'x', context: rows('c') });
    expect(second.answer).toBe('["c", "b", ["c"]]');
  });

  it('numbers named contexts like every other', async () => {
    const session = await opened([cell('FINAL([context_0["a"], a, context_0 is context])')]);
    const { answer } = await session.completion({ query: 'x', context: contexts({ a: 'first' }) });
    expect(answer).toBe('["first", "first", true]');
  });

  it('queues what is asked of it', async () => {
    const session = await opened([cell('order.append("completion")', 'FINAL(1)')]);
    const results = [
      session.execute('order = ["first"]'),
      session.completion({ query: 'x' }),
      session.execute('order.append("last")'),
    ];
    await Promise.all(results);
    expect(await session.getVariable('order')).toEqual(['first', 'completion', 'last']);
  });

  it('cancels a completion that waits for its turn, and continues', async () => {
    const session = await opened();
    const busy = session.execute('llm_query("x")\nfor i in range(10**6): pass');
    const run = session.completion({ query: 'never' });
    run.cancel('not needed');
    await expect(Promise.resolve(run)).rejects.toMatchObject({ code: 'cancelled' });
    expect(await busy).toMatchObject({ ok: true });
    expect(session.status().state).toBe('ready');
  });

  it('adds up what its completions and its own cells used', async () => {
    const session = await opened([cell('FINAL(llm_query("a"))')]);
    await session.execute('llm_query("b")');
    await session.completion({ query: 'x' });
    expect(session.status().usage.byModel['scripted/sub']?.calls).toBe(2);
  });

  it('sends nothing for calls its cells make after they ended', async () => {
    const session = await opened([], { limits: { maxSubCalls: 1 } });
    expect(await session.execute('llm_query("a")')).toMatchObject({ ok: true });
    expect(await session.execute('llm_query("b")')).toMatchObject({ ok: false, error: { type: 'BudgetExceeded' } });
  });

  it('keeps its limits where a completion leaves them open', async () => {
    const session = await opened([cell('1'), cell('2'), 'FINAL(3)'], { limits: { maxTurns: 1 } });
    const result = await session.completion({ query: 'x', limits: { maxTurns: undefined as never } });
    expect(result).toMatchObject({ stop: 'max-turns', turns: 1 });
  });

  it('says to the model of a second completion which variable is its context', async () => {
    const root = scriptedModel([cell('FINAL(1)'), cell('FINAL(2)')]);
    const session = await rlmOf({ model: root }).createSession();
    await session.completion({ query: 'x', context: 'a' });
    await session.completion({ query: 'y', context: 'b' });
    expect(promptOf(root, 1)).toContain('context_1');
  });
});
