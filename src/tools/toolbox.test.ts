import { jsonSchema, tool } from 'ai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createToolbox, type ToolCallOptions, type ToolSet } from './toolbox.ts';

const never = {
  toolCallId: 'run:t1.0',
  repeated: false,
  messages: [],
  abortSignal: new AbortController().signal,
} as const;

describe('createToolbox', () => {
  it('takes AI SDK tools with zod schemas: parameters in schema order, arguments validated', async () => {
    const box = createToolbox({
      area: tool({
        description: 'Area.',
        inputSchema: z.object({ width: z.number(), height: z.number() }),
        execute: ({ width, height }) => width * height,
      }),
    });
    expect(box.bindings).toEqual([{ name: 'area', description: 'Area.', parameters: ['width', 'height'] }]);
    expect(await box.call('area', { width: 2, height: 3 }, never)).toBe(6);
    await expect(box.call('area', { width: 'x', height: 3 }, never)).rejects.toMatchObject({ name: 'TypeError' });
  });

  it('refuses a tool whose JSON Schema cannot be used', () => {
    const tools = { echo: tool({ inputSchema: jsonSchema({ type: 'objct' as 'object' }), execute: () => 1 }) };
    expect(() => createToolbox(tools)).toThrow(
      'The input schema of the tool echo cannot be used at /type: "objct" is not a type',
    );
  });

  it('takes AI SDK schemas made from JSON Schema', async () => {
    const box = createToolbox({
      echo: tool({
        inputSchema: jsonSchema<{ text: string }>({ type: 'object', properties: { text: { type: 'string' } } }),
        execute: ({ text }) => text,
      }),
    });
    expect(box.bindings[0]?.parameters).toEqual(['text']);
    expect(await box.call('echo', { text: 'hi' }, never)).toBe('hi');
    // Such a schema brings no validation of its own.
    await expect(box.call('echo', { text: 5 }, never)).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('text'),
    });
  });

  it('takes functions with a description, and values', async () => {
    const box = createToolbox({
      today: Object.assign(() => 'Monday', { description: 'The day.' }),
      regions: ['north'],
    });
    expect(await box.call('today', {}, never)).toBe('Monday');
    expect(box.values).toEqual({ regions: { kind: 'json', json: '["north"]' } });
  });

  it.each([
    ['names beside the description', { parameters: ['a', 'b'] }],
    ['a JSON Schema as parameters', { parameters: { type: 'object', properties: { a: {}, b: {} } } }],
    ['a zod schema as inputSchema', { inputSchema: z.object({ a: z.number(), b: z.number() }) }],
    ['an AI SDK schema', { inputSchema: jsonSchema({ type: 'object', properties: { a: {}, b: {} } }) }],
  ])('shows the parameters of a function: %s', async (_, more) => {
    const add = ({ a, b }: { a: number; b: number }) => a + b;
    const box = createToolbox({ add: Object.assign(add, { description: 'Adds.', ...more }) as never });
    expect(box.bindings).toEqual([{ name: 'add', description: 'Adds.', parameters: ['a', 'b'] }]);
    expect(await box.call('add', { a: 1, b: 2 }, never)).toBe(3);
  });

  it("validates a function's arguments by its schema", async () => {
    const schema = { inputSchema: z.object({ a: z.number() }) };
    const box = createToolbox({ half: Object.assign(({ a }: { a: number }) => a / 2, schema) });
    await expect(box.call('half', { a: 'x' }, never)).rejects.toMatchObject({ name: 'TypeError' });
  });

  it.each([[['a b']], [['lambda']], [5], ['a']])('refuses invalid parameters: %j', (parameters) => {
    const tools = { add: Object.assign(() => 1, { parameters }) };
    expect(() => createToolbox(tools as never)).toThrow('The parameters of the tool add have to be names');
  });

  it.each(['print', 'len', 'open', 'sum', 'list'])("refuses a tool named like Python's own %s", (name) => {
    expect(() => createToolbox({ [name]: () => 1 })).toThrow(expect.objectContaining({ code: 'reserved-name' }));
    expect(() => createToolbox({ [name]: () => 1 })).toThrow(`${name}: Python has a function of this name`);
    expect(() => createToolbox({ [`${name}_data`]: () => 1 })).not.toThrow();
  });

  it('gives a tool its key, and marks a repeated call', async () => {
    const box = createToolbox({
      who: (_args: unknown, { toolCallId, repeated }: ToolCallOptions) => [toolCallId, repeated],
    });
    expect(await box.call('who', {}, { ...never, repeated: true })).toEqual(['run:t1.0', true]);
  });

  it('turns undefined into null, and refuses results that are not JSON', async () => {
    const box = createToolbox({ nothing: () => undefined, odd: () => () => 1 });
    expect(await box.call('nothing', {}, never)).toBeNull();
    await expect(box.call('odd', {}, never)).rejects.toMatchObject({ name: 'TypeError' });
  });

  it('refuses a bigint, wherever it is in a result, with what to return', async () => {
    const box = createToolbox({ one: () => 2n ** 60n, deep: () => ({ rows: [{ id: 1n }] }) });
    for (const name of ['one', 'deep']) {
      await expect(box.call(name, {}, never)).rejects.toThrow(
        `${name} returned a bigint, which is not JSON: return it as a string`,
      );
    }
  });

  it('passes the errors of a tool on with their type', async () => {
    const box = createToolbox({
      fails: () => {
        throw new RangeError('too far');
      },
    });
    await expect(box.call('fails', {}, never)).rejects.toMatchObject({ name: 'RangeError', message: 'too far' });
  });

  it.each([
    ['bad-name', 'invalid-tool-name'],
    ['lambda', 'invalid-tool-name'],
    ['__builtins__', 'reserved-name'],
    ['__proto__', 'reserved-name'],
    ['llm_query', 'reserved-name'],
    ['context', 'reserved-name'],
    ['context_3', 'reserved-name'],
  ])('refuses the name %s', (name, code) => {
    expect(() => createToolbox({ [name]: () => 1 })).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [['no name', '1st', 'lambda'], ['"no name"', '"1st"', '"lambda"'], 'invalid-tool-name'],
    [['history', 'context_2', '__x__'], ['history, context_2, __x__'], 'reserved-name'],
    [['bad-name', 'FINAL', 'also bad', 'answer'], ['"bad-name", "also bad"', 'FINAL, answer'], 'invalid-tool-name'],
  ])('refuses the names %j at once', (names, parts, code) => {
    const tools = Object.fromEntries(['fine', ...names].map((name) => [name, () => 1]));
    const caught = (() => {
      try {
        return createToolbox(tools);
      } catch (error) {
        return error;
      }
    })();
    expect(caught).toMatchObject({ code, data: { tools: expect.arrayContaining(names) } });
    for (const part of parts) expect((caught as Error).message).toContain(part);
    expect((caught as Error).message).not.toContain('fine');
    expect(Object.keys(createToolbox({ fine: 1, also_fine: 2 }).values)).toEqual(['fine', 'also_fine']);
  });

  it.each([
    ['no object', 5],
    ['null', null],
    ['a list', [() => 1]],
    ['a bigint', { v: 1n }],
    ['infinity', { v: Number.POSITIVE_INFINITY }],
    ['a Map', { v: new Map([[1, 2]]) }],
  ])('refuses %s', (_, tools) => {
    expect(() => createToolbox(tools as unknown as ToolSet)).toThrow(
      expect.objectContaining({ code: 'invalid-option' }),
    );
  });

  it('refuses a tool without execute', () => {
    const tools = { half: { description: 'x', execute: undefined } } as unknown as ToolSet;
    expect(() => createToolbox(tools)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
  });
});
