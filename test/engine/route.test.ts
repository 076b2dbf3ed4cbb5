/** Modes of a run: the loop, one direct call, or the one that fits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  CompletionError,
  type CompletionRequest,
  contexts,
  fromFile,
  fromFiles,
  memoryStore,
  projected,
  type RlmOptions,
  type RunEvent,
} from '../../src/index.ts';
import { type ScriptedModel, type ScriptedReply, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { PROFILES } from '../mock-provider/profiles.ts';
import { cell, rlmOf } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-route-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A scripted model with the window of a real one: 8 192 tokens for `gpt-4`. */
function windowed(replies: readonly ScriptedReply[] | ScriptedResponder, modelId = 'gpt-4'): ScriptedModel {
  return { ...scriptedModel(replies, { modelId }), provider: 'openai' };
}

async function ask(
  replies: readonly ScriptedReply[] | ScriptedResponder,
  request: Partial<CompletionRequest<unknown>> & { readonly options?: Partial<RlmOptions>; readonly modelId?: string },
) {
  const { options, modelId, ...rest } = request;
  const model = windowed(replies, modelId);
  const events: RunEvent[] = [];
  const rlm = rlmOf({ model, ...options, onEvent: (event) => events.push(event) });
  const run = rlm.completion<unknown>({ query: 'Who did it?', mode: 'auto', ...rest });
  return { result: await run, events, model };
}

const SMALL = 'The butler did it.';
const LARGE = 'It was a dark night. '.repeat(1_000);

describe('mode auto', () => {
  it('answers a small context by one call, without a REPL', async () => {
    const { result, events, model } = await ask(['the butler'], { context: SMALL });
    expect(result).toMatchObject({
      ...{ outcome: 'converged', stop: 'final', answer: 'the butler', text: 'the butler', turns: 0, subCalls: 0 },
      route: { chosen: 'direct', window: 8_192, tokens: expect.any(Number) },
      usage: { calls: 1 },
    });
    expect(events.map(({ type }) => type)).toEqual([
      ...['route.chosen', 'usage.recorded', 'run.started', 'run.completed'],
    ]);
    expect(events.find(({ type }) => type === 'run.started')).toMatchObject({ backend: 'none' });
    const [request] = model.requests;
    expect(request?.prompt).toBe(`<context>\n${SMALL}\n</context>\n\nQuestion:\nWho did it?`);
    const sent = request?.messages.reduce((sum, { content }) => sum + content.length, 0) ?? 0;
    expect(result.route?.tokens).toBeGreaterThan(sent / 4);
  });

  it('takes the loop for a large one, which is in no request', async () => {
    const { result, model } = await ask([cell('FINAL(len(context))')], { context: LARGE });
    expect(result).toMatchObject({ text: String(LARGE.length), turns: 1, route: { chosen: 'loop', window: 8_192 } });
    expect(result.route?.reason).toMatch(/more than 35 % of the window of 8192/);
    expect(model.requests[0]?.prompt.length).toBeLessThan(LARGE.length / 2);
  });

  it.each<[string, Partial<CompletionRequest<unknown>> & { modelId?: string }, RegExp]>([
    ['an unknown window', { context: SMALL, modelId: 'nameless' }, /window of the root model is unknown/],
    [
      'tools',
      { context: SMALL, tools: { look: { description: 'd', execute: () => 1 } } },
      /only code can use the tools/,
    ],
    ['a projected context', { context: projected(SMALL) }, /projected/],
    ['a file of bytes', { context: fromFile(file('b.bin', Buffer.alloc(64)), { as: 'bytes' }) }, /b\.bin is not text/],
    ['a file that is large', { context: fromFile(file('large.txt', LARGE.repeat(20))) }, /at least 52500 tokens/],
  ])('takes the loop for %s', async (_, request, reason) => {
    const { result } = await ask([cell('FINAL("ok")')], request);
    expect(result).toMatchObject({ text: 'ok', route: { chosen: 'loop', reason: expect.stringMatching(reason) } });
  });

  it('reads files, folders and named contexts', async () => {
    const one = await ask(['ok'], {
      context: fromFile(file('l1.txt', Buffer.from('caf\xe9', 'latin1')), { encoding: 'latin1' }),
    });
    expect(one.model.requests[0]?.prompt).toContain('<context>\ncafé\n</context>');
    const named = contexts({
      old: 'one',
      data: { a: [1] },
      docs: fromFiles([file('a.md', 'alpha'), file('b.md', '\ufeffbeta')]),
    });
    const { model } = await ask(['ok'], { context: named });
    expect(model.requests[0]?.prompt).toMatch(
      /<context>\n--- old ---\none\n\n--- data ---\n\{"a":\[1\]\}\n\n--- docs ---\n--- .*a\.md ---\nalpha\n\n--- .*b\.md ---\nbeta\n<\/context>/,
    );
    const without = await ask(['ok'], { query: 'Say ok.' });
    expect(without.model.requests[0]?.prompt).toBe('Say ok.');
  });

  it('has the instructions, and leaves reasoning in the reply out of the answer', async () => {
    const { result, model } = await ask(['<think>hm</think>\n oui '], {
      ...{ context: SMALL, instructions: 'In French.', options: { prompt: { instructions: 'Be kind.' } } },
    });
    expect(result.text).toBe('oui');
    expect(model.requests[0]?.messages[0]?.content).toMatch(/Be kind\.\n\nIn French\.$/);
  });

  it('asks a server on this machine for its window', async () => {
    const mock = await startMockProvider({ respond: () => 'the butler', profile: PROFILES.ollama });
    // The server has one second to answer, which a busy machine may not give it: each Rlm asks again.
    const windows: (number | null | undefined)[] = [];
    for (let tries = 0; tries < 5 && windows.at(-1) !== 32_768; tries += 1) {
      const rlm = rlmOf({ model: `${mock.url}/v1#recorded` });
      const { text, route } = await rlm.completion({
        query: 'Who?',
        context: SMALL,
        mode: 'auto',
        limits: { maxTurns: 1 },
      });
      expect(text).toBe('the butler');
      expect(route?.chosen).toBe(route?.window === 32_768 ? 'direct' : 'loop');
      windows.push(route?.window);
    }
    await mock.close();
    expect(windows.at(-1)).toBe(32_768);
  });
});

describe('a direct call', () => {
  it('has a typed answer', async () => {
    const { result, model } = await ask(['```json\n{"n": 3}\n```'], {
      ...{ context: SMALL, output: z.object({ n: z.number() }) },
    });
    expect(result).toMatchObject({ answer: { n: 3 }, route: { chosen: 'direct' } });
    expect(model.requests[0]?.messages[0]?.content).toContain('"n"');
  });

  it.each<[string, ScriptedReply, RegExp]>([
    ['does not fit the schema', 'three', /did not fit the schema/],
    ['is empty', '<think>hm</think>', /empty/],
    ['is cut off', { text: '{"n": 3', finishReason: 'length' }, /cut off/],
  ])('whose reply %s leaves the run to the loop', async (_, reply, reason) => {
    const output = z.object({ n: z.number() });
    const { result, events } = await ask([reply, cell('FINAL({"n": len(context)})')], { context: SMALL, output });
    expect(result).toMatchObject({
      ...{ answer: { n: SMALL.length }, turns: 1, usage: { calls: 2 } },
      route: { chosen: 'loop', reason: expect.stringMatching(reason) },
    });
    const routes = events.flatMap((event) => (event.type === 'route.chosen' ? [event.chosen] : []));
    expect(routes).toEqual(['direct', 'loop']);
    expect(events.filter(({ type }) => type === 'run.started')).toHaveLength(1);
  });

  it('that is too long for the model leaves the run to the loop', async () => {
    const mock = await startMockProvider({
      respond: ({ index }) =>
        index > 0
          ? cell('FINAL(len(context))')
          : {
              ...{ fault: 'status', status: 400 },
              error: { message: "This model's maximum context length is 10 tokens.", code: 'context_length_exceeded' },
            },
    });
    const rlm = rlmOf({ model: `${mock.url}/v1#root` });
    const result = await rlm.completion({ query: 'How long?', context: SMALL, mode: 'direct' });
    await mock.close();
    expect(result).toMatchObject({
      ...{ text: String(SMALL.length), usage: { calls: 2 } },
      route: { chosen: 'loop', reason: expect.stringContaining('too long') },
    });
  });

  it('is made whatever the size in mode direct, and never in mode always', async () => {
    const direct = await ask(['night'], { context: LARGE, mode: 'direct' });
    expect(direct.result).toMatchObject({ text: 'night', route: { chosen: 'direct', reason: 'the mode is direct' } });
    const always = await ask([cell('FINAL("ok")')], { context: SMALL, mode: 'always' });
    expect(always.result.route).toBeUndefined();
    expect(always.events.map(({ type }) => type)).not.toContain('route.chosen');
  });

  it('that no limit has room for ends as the loop does at that limit', async () => {
    const { result, model } = await ask(['never'], { context: SMALL, limits: { maxTokens: 10 } });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'token-limit', usage: { calls: 0 } });
    expect(model.requests).toEqual([]);
  });

  it('ends the run with what it cost where the model fails, is cancelled, and is over in time', async () => {
    const quota = ask([new Error('boom')], { context: SMALL });
    await expect(quota).rejects.toThrow(CompletionError);
    const rlm = rlmOf({ model: windowed(() => new Promise<never>(() => undefined)) });
    const run = rlm.completion({ query: 'q', context: SMALL, mode: 'direct' });
    for await (const { type } of run) if (type === 'route.chosen') run.cancel('enough');
    await expect(run).rejects.toMatchObject({ code: 'cancelled', result: { outcome: 'aborted' } });
    const late = await rlm.completion({ query: 'q', context: SMALL, mode: 'direct', limits: { maxDurationMs: 300 } });
    expect(late).toMatchObject({ outcome: 'exhausted', stop: 'time-limit', text: '' });
  });

  it('is asked for the answer by finish', async () => {
    let answer: ((text: string) => void) | undefined;
    const rlm = rlmOf({ model: windowed(() => new Promise<string>((resolve) => (answer = resolve))) });
    const run = rlm.completion({ query: 'q', context: SMALL, mode: 'direct' });
    for await (const { type } of run) {
      if (type !== 'route.chosen') continue;
      await expect.poll(() => answer).toBeDefined();
      run.finish();
      answer?.('the butler');
    }
    expect((await run).text).toBe('the butler');
  });

  it('is not paid again when its run is resumed, and the run keeps its route', async () => {
    const store = memoryStore();
    const first = windowed(['<think>hm</think>', new Error('broken')]);
    const failed = await Promise.resolve(
      rlmOf({ model: first, store }).completion({ query: 'q', context: SMALL, mode: 'auto' }),
    ).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CompletionError);
    expect(failed).toMatchObject({ resumable: true, result: { route: { chosen: 'loop' } } });
    const again = windowed([cell('FINAL(len(context))')]);
    const { runId } = (failed as CompletionError).result;
    const result = await rlmOf({ model: again, store }).resume(runId);
    expect(result).toMatchObject({
      text: String(SMALL.length),
      route: { chosen: 'loop', reason: expect.stringMatching(/empty/) },
    });
    expect(again.requests).toHaveLength(1);
  });
});

describe('a mode that cannot be used', () => {
  it('is refused before anything is spent', async () => {
    await expect(ask([], { mode: 'sometimes' as never })).rejects.toMatchObject({ code: 'invalid-option' });
    const session = await rlmOf({ model: windowed([]) }).createSession();
    await expect(session.completion({ query: 'q', mode: 'auto' })).rejects.toMatchObject({ code: 'invalid-option' });
    await session.close();
  });
});
