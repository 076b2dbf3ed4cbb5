/** The library as a program without types meets it: misspelt options, contexts of a wrong kind, runs as promises. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { contexts, createRlm, fromFile, type RunEvent } from '../../src/index.ts';
import { EVENT_ANSWER_CHARS } from '../../src/limits.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';

const unasked = (): never => {
  throw new Error('nothing may be sent');
};

describe('unknown options', () => {
  it.each([
    [{ limit: { maxCostUsd: 1 } }, 'createRlm has no option limit. Did you mean limits?'],
    [{ submodel: 'a/b' }, 'createRlm has no option submodel. Did you mean subModel?'],
    [{ tool: {} }, 'createRlm has no option tool. Did you mean tools?'],
    [{ temperature: 1 }, 'createRlm has no option temperature. The options are model, subModel'],
    [{ limits: { maxCostUSD: 1 } }, 'there is no such limit; did you mean maxCostUsd'],
  ])('createRlm refuses %j', (wrong, message) => {
    expect(() => createRlm({ model: scriptedModel(unasked), ...wrong } as never)).toThrow(message);
  });

  it.each([
    [{ limit: { maxTurns: 1 } }, 'completion has no option limit. Did you mean limits?'],
    [{ contxt: 'x' }, 'completion has no option contxt. Did you mean context?'],
    [{ schema: {} }, 'completion has no option schema. The options are query, context'],
    [{ maxTurns: 3 }, 'completion has no option maxTurns.'],
  ])('a completion refuses %j before anything is sent', async (wrong, message) => {
    const rlm = rlmOf({ model: scriptedModel(unasked) });
    const run = rlm.completion({ query: 'q', ...wrong } as never);
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toMatchObject({ code: 'invalid-option', result: { subCalls: 0, turns: 0 } });
  });

  it('sessions, their completions and their commands refuse them as well', async () => {
    const rlm = rlmOf({ model: scriptedModel(unasked) });
    await expect(rlm.createSession({ lifetime: 1 } as never)).rejects.toThrow('Did you mean lifetimeMs?');
    await expect(rlm.openSession('x', { contexts: 1 } as never)).rejects.toThrow('Did you mean context?');
    await using session = await rlm.createSession();
    await expect(session.execute('1', { timeout: 5 } as never)).rejects.toThrow('Did you mean timeoutMs?');
    await expect(session.completion({ query: 'q', outputs: 1 } as never)).rejects.toThrow('Did you mean output?');
  });
});

describe('contexts of a wrong kind', () => {
  it.each([
    ['a Buffer', Buffer.from('id,n\n'), 'TextDecoder'],
    ['a Uint8Array', new Uint8Array(3), 'TextDecoder'],
    ['an ArrayBuffer', new ArrayBuffer(3), 'TextDecoder'],
    ['a Buffer inside', { file: Buffer.from('x') }, 'the value at "file" is binary data'],
    ['a URL', new URL('https://example.com/a.csv'), 'not fetched'],
    ['a URL inside', [new URL('file:///a')], 'fromFile(fileURLToPath(url))'],
    ['a Map', new Map([['a', 1]]), 'Object.fromEntries(map)'],
    ['a Set', new Set([1]), '[...set]'],
    ['a promise', Promise.resolve('text'), 'await it first'],
    ['a Node stream', Readable.from(['x']), 'node:stream/consumers'],
    ['a web stream', new ReadableStream(), 'node:stream/consumers'],
    ['a generator', (async function* () {})(), 'node:stream/consumers'],
    ['a Blob', new Blob(['x']), 'await value.text()'],
    ['a Response', new Response('x'), 'await value.text()'],
    ['sources in an object', { before: fromFile('a'), after: fromFile('b') }, 'contexts({ before: fromFile(path)'],
    ['sources in a list', [fromFile('a')], 'contexts({'],
    ['named contexts inside', { all: contexts({ a: 'x' }) }, 'contexts({'],
  ])('%s is refused, with what to give', async (_, context, remedy) => {
    const rlm = rlmOf({ model: scriptedModel(unasked) });
    const run = rlm.completion({ query: 'q', context: context as never });
    await expect(run).rejects.toMatchObject({ code: 'context-invalid' });
    await expect(run).rejects.toThrow(remedy);
  });

  it('a Date is its text, and a plain object stays one', async () => {
    const model = scriptedModel([cell('print(context["at"][:4], context["type"])', 'FINAL(context["at"][:4])')]);
    const context = { at: new Date(0), type: 'Buffer', data: [1] } as never;
    expect((await rlmOf({ model }).completion({ query: 'q', context })).answer).toBe('1970');
  });
});

describe('a run as a promise', () => {
  it('has then, catch and finally', async () => {
    const rlm = rlmOf({ model: scriptedModel([cell('FINAL(1)'), cell('FINAL(2)')]) });
    let ended = 0;
    const result = await rlm.completion({ query: 'q' }).finally(() => (ended += 1));
    expect([result.text, ended]).toEqual(['1', 1]);
    expect(await rlm.completion({ query: 'q' }).catch(() => 'not called')).toMatchObject({ text: '2' });
    expect(await rlm.completion({ query: ' ' }).catch((error: Error) => error.name)).toBe('CompletionError');
    await expect(rlm.resume('nowhere').finally(() => (ended += 1))).rejects.toMatchObject({ code: 'run-not-found' });
    expect(ended).toBe(2);
  });

  it('has them in a session, too, once the session has its state', async () => {
    const rlm = rlmOf({ model: scriptedModel([cell('kept = 7', 'FINAL(kept)')]) });
    await using session = await rlm.createSession();
    const usage = await session.completion({ query: 'q' }).finally(() => undefined);
    expect(usage.text).toBe('7');
    expect(await session.completion({ query: '' }).catch(({ code }) => code)).toBe('invalid-option');
  });
});

describe('the answer in run.completed', () => {
  const completedOf = async (code: string, limits = {}) => {
    const events: RunEvent[] = [];
    const rlm = rlmOf({ model: scriptedModel([cell(code), 'no']), limits, onEvent: (event) => events.push(event) });
    const { text } = await rlm.completion({ query: 'q' });
    const [completed] = events.filter((event) => event.type === 'run.completed');
    return { text, completed };
  };

  it.each(['FINAL("done")', 'FINAL({"n": 1})', 'FINAL("\\u00fc \\U0001f378")'])(
    'is that of the result: %s',
    async (code) => {
      const { text, completed } = await completedOf(code);
      expect(text).not.toBe('');
      expect(completed).toMatchObject({ outcome: 'converged', text });
      expect(completed).not.toHaveProperty('textChars');
    },
  );

  it('is the best one at a limit', async () => {
    const { completed } = await completedOf('answer["content"] = "draft"', { maxTurns: 1 });
    expect(completed).toMatchObject({ outcome: 'exhausted', text: 'draft' });
  });

  it('is cut where it is long, between whole characters', async () => {
    const { text, completed } = await completedOf(`FINAL("x" + "\\U0001f378" * ${EVENT_ANSWER_CHARS})`);
    expect(text.length).toBe(1 + 2 * EVENT_ANSWER_CHARS);
    expect(completed).toMatchObject({ textChars: text.length, text: text.slice(0, EVENT_ANSWER_CHARS - 1) });
  });
});

it('a tool without known parameters says that it takes keywords', async () => {
  const add = Object.assign(({ a, b }: { a: number; b: number }) => a + b, { description: 'Adds.' });
  const named = Object.assign(({ a, b }: { a: number; b: number }) => a * b, { parameters: ['a', 'b'] });
  const model = scriptedModel([
    cell(
      'try:',
      '    add(1, 2)',
      'except TypeError as error:',
      '    print(error)',
      'FINAL([str(error) if False else add(a=1, b=2), times(3, 4)])',
    ),
  ]);
  const events: RunEvent[] = [];
  const rlm = rlmOf({ model, tools: { add, times: named }, onEvent: (event) => events.push(event) });
  expect((await rlm.completion({ query: 'q' })).text).toBe('[3, 12]');
  const [completed] = events.filter((event) => event.type === 'cell.completed');
  expect(JSON.stringify(completed)).toContain('add() takes keyword arguments only: write add(name=value)');
});
