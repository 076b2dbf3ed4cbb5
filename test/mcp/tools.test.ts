/** Every tool, by the official client over streams of bytes. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { png } from '../../src/model/image.testing.ts';
import { scriptedModel } from '../../src/test.ts';
import { call, connectPair, type Pair } from './harness.ts';

let root: string;
let pair: Pair;
const LONG = 'line of a long answer, 30 chars\n'.repeat(3_000);

/** The root model by the question: code that the answer needs. */
const model = scriptedModel(({ messages, prompt, images }) => {
  const seen = JSON.stringify(messages);
  if (prompt === 'sub') return `${images.length} image`;
  if (seen.includes('IMAGE'))
    return "```repl\nFINAL(f\"{llm_query('sub', images=[context])} of {context.meta['width']} pixels\")\n```";
  if (seen.includes('LONG')) return '```repl\nx = "line of a long answer, 30 chars\\n" * 3000\nFINAL_VAR("x")\n```';
  return '```repl\nFINAL(str(len(context)))\n```';
});

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'fathom-mcp-')));
  await writeFile(join(root, 'a.txt'), 'alpha beta');
  await writeFile(join(root, '.env'), 'KEY=1');
  pair = await connectPair({ rlm: { model }, roots: [root] });
});
afterAll(async () => {
  await pair[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

describe('tools', () => {
  it('are listed with schemas, annotations and few words', async () => {
    const { tools } = await pair.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...['ask', 'start', 'status', 'result', 'load', 'exec', 'bash', 'variables', 'snapshot', 'rollback'],
    ]);
    for (const tool of tools) {
      expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
      expect(tool.annotations).toHaveProperty('readOnlyHint');
      expect(tool.description?.length).toBeLessThan(620);
    }
    expect(JSON.stringify(tools).length).toBeLessThan(13_500);
  });

  it('ask answers a question about paths and about text', async () => {
    const asked = await call(pair.client, 'ask', { question: 'How long?', paths: ['a.txt'] });
    expect(asked.data).toMatchObject({ answer: '10', status: 'completed', outcome: 'converged', pages: 1, turns: 1 });
    expect(asked.text).toMatch(/^10\n\n\[run [0-9A-Z]{26}: converged, 1 turns/);
    expect((await call(pair.client, 'ask', { question: 'How long?', text: 'abc' })).data).toMatchObject({
      answer: '3',
    });
  });

  it('ask takes paths of images, which cells send to a sub-model', async () => {
    await writeFile(join(root, 'whale.png'), png(30, 20));
    const asked = await call(pair.client, 'ask', { question: 'IMAGE: what is it?', paths: ['whale.png'] });
    expect(asked.data).toMatchObject({ answer: '1 image of 30 pixels', status: 'completed' });
  });

  it('ask sends a long answer as its beginning, and result reads it page by page', async () => {
    const asked = await call(pair.client, 'ask', { question: 'LONG', text: 'x' });
    expect(asked.data).toMatchObject({ answer_chars: LONG.length, pages: 3 });
    expect(String(asked.data.answer).length).toBe(8_000);
    const pages = [];
    for (let page = 1; page <= 3; page += 1) {
      const { data, text } = await call(pair.client, 'result', { run_id: asked.data.run_id, page });
      // Four characters are at least one token, and each page is sent twice.
      expect((text.length + String(data.answer).length) / 4).toBeLessThan(25_000);
      pages.push(data.answer);
    }
    expect(pages.join('')).toBe(LONG);
    const beyond = await call(pair.client, 'result', { run_id: asked.data.run_id, page: 4 });
    expect(beyond.error).toMatchObject({ code: -32_602, data: { code: 'invalid-option' } });
  });

  it('start, status and result do it without waiting', async () => {
    const { data } = await call(pair.client, 'start', { question: 'How long now?', paths: ['a.txt'] });
    expect(data).toMatchObject({ status: 'running', question: 'How long now?' });
    const found = await call(pair.client, 'result', { run_id: data.run_id });
    expect(found.data).toMatchObject({ answer: '10', status: 'completed', run_id: data.run_id });
    const one = await call(pair.client, 'status', { run_id: data.run_id });
    expect(one.data.runs).toEqual([expect.objectContaining({ run_id: data.run_id, status: 'completed' })]);
    const all = await call(pair.client, 'status');
    expect(all.data).toMatchObject({ server: { queued: 0 } });
    expect(all.data.runs).toContainEqual(expect.objectContaining({ run_id: data.run_id }));
  });

  it('load keeps data in a session for code, questions, variables and snapshots', async () => {
    const loaded = await call(pair.client, 'load', { paths: ['a.txt'] });
    expect(loaded.data.variables).toContainEqual(expect.objectContaining({ name: 'context', type: 'str' }));
    const handle = loaded.data.handle;
    const ran = await call(pair.client, 'exec', { handle, code: 'words = context.split()\nwords' });
    expect(ran.data).toMatchObject({ ok: true, timed_out: false });
    expect(ran.text).toContain("['alpha', 'beta']");
    expect((await call(pair.client, 'exec', { handle, code: '1 / 0' })).data).toMatchObject({ ok: false });
    expect((await call(pair.client, 'bash', { handle, command: 'echo $((6 * 7))' })).text).toContain('42');
    expect((await call(pair.client, 'ask', { question: 'How long?', handle })).data).toMatchObject({ answer: '10' });
    await call(pair.client, 'snapshot', { handle, action: 'create', name: 's' });
    await call(pair.client, 'variables', { handle, action: 'set', name: 'words', value: { a: [1, null] } });
    // The parser of messages has rounded it already.
    const big = { handle, action: 'set', name: 'big', value: { a: [2 ** 53] } };
    expect((await call(pair.client, 'variables', big)).error.data.code).toBe('invalid-option');
    const long = 'x'.repeat(10_000);
    for (const [tool, args] of [
      ['status', { run_id: long }],
      ['exec', { handle: long, code: '1' }],
    ] as const) {
      expect((await call(pair.client, tool, args)).text.length).toBeLessThan(500);
    }
    const got = await call(pair.client, 'variables', { handle, action: 'get', name: 'words' });
    expect(got.data).toEqual({ json: '{"a":[1,null]}', page: 1, pages: 1 });
    const rolled = await call(pair.client, 'rollback', { handle, name: 's' });
    expect(rolled.data.variables).toContainEqual(expect.objectContaining({ name: 'words', type: 'list' }));
    const listed = await call(pair.client, 'variables', { handle, action: 'list' });
    expect(listed.data.variables).toEqual(rolled.data.variables);
    expect((await call(pair.client, 'snapshot', { handle, action: 'list' })).data.snapshots).toHaveLength(1);
    expect((await call(pair.client, 'snapshot', { handle, action: 'delete', name: 's' })).data.snapshots).toEqual([]);
  });

  it.each([
    [{ question: 'q' }, /one of paths, text or handle; this has 0/],
    [{ question: 'q', text: 'a', paths: ['a.txt'] }, /this has 2/],
    [{ question: ' ', text: 'a' }, /question/],
    [{ question: 'q', paths: [] }, /paths/],
    [{ question: 'q', paths: 'a.txt' }, /paths/],
    [{ question: 'q', text: 'a', model: 'openai/gpt-5' }, /model/],
  ])('ask refuses %j', async (given, message) => {
    const { isError, text, error } = await call(pair.client, 'ask', given);
    expect({ isError, code: error.data.code }).toEqual({ isError: true, code: 'invalid-option' });
    expect(text).toMatch(message);
  });

  it('ask reads nothing outside of the roots', async () => {
    for (const path of ['/etc/passwd', '../x', '.env', '/proc/self/environ', '/dev/zero']) {
      const { error, text } = await call(pair.client, 'ask', { question: 'q', paths: [path] });
      expect(error.data, path).toMatchObject({ code: 'context-invalid' });
      expect(text).not.toContain('KEY=1');
    }
  });

  it('ask takes the mode of the server, and the loop where it has a handle', async () => {
    const routes: string[] = [];
    await using direct = await connectPair({
      mode: 'direct',
      rlm: {
        model: scriptedModel(({ messages }) =>
          JSON.stringify(messages).includes('repl') ? 'FINAL("loop")' : 'direct',
        ),
        requireInspection: false,
        onEvent: (event) => void (event.type === 'route.chosen' && routes.push(event.chosen)),
      },
    });
    const asked = await call(direct.client, 'ask', { question: 'q', text: 'abc' });
    expect(asked.data).toMatchObject({ answer: 'direct', turns: 0 });
    const { handle } = (await call(direct.client, 'load', { text: 'abc' })).data;
    expect((await call(direct.client, 'ask', { question: 'q', handle })).data).toMatchObject({
      answer: 'loop',
      turns: 1,
    });
    expect(routes).toEqual(['direct']);
    await expect(connectPair({ mode: 'some' as never, rlm: { model } })).rejects.toMatchObject({
      code: 'invalid-option',
    });
  });

  it('a tool that does not exist is an error of the protocol', async () => {
    await expect(call(pair.client, 'frobnicate')).rejects.toMatchObject({
      code: -32_602,
      data: { code: 'invalid-option', param: 'name' },
    });
  });
});
