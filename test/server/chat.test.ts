/** `/v1/chat/completions` over sockets, with the official client. */
import { zodResponseFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cell } from '../engine/harness.ts';
import { final, openAi, raw, serve, sseData, until } from './harness.ts';

const ASK = { model: 'fathom', messages: [{ role: 'user' as const, content: 'What is it?' }] };

describe('a chat completion', () => {
  it('answers with usage, run id and the facts of the run', async () => {
    const { client, store } = await serve({ respond: () => final('a whale') });
    const { data, response } = await client.chat.completions.create(ASK).withResponse();
    const id = response.headers.get('x-fathom-run-id') ?? '';
    expect(data).toMatchObject({
      ...{ id: `chatcmpl-${id}`, object: 'chat.completion', model: 'fathom' },
      choices: [{ index: 0, message: { role: 'assistant', content: 'a whale' }, finish_reason: 'stop' }],
      fathom: { run_id: id, outcome: 'converged', stop: 'final' },
    });
    expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
    expect(await store.runs.get(id)).toMatchObject({
      owner: { door: 'server', name: 'owner', detached: false },
      request: { query: 'What is it?' },
    });
  });

  it('takes system messages as instructions, and earlier messages and files as context', async () => {
    const { client, mock } = await serve({
      respond: ({ index }) =>
        index === 0 ? cell('print([n for n in context], context["files"][0].text)') : final('seen'),
    });
    const answer = await client.chat.completions.create({
      model: 'fathom',
      messages: [
        { role: 'developer', content: 'Answer in verse.' },
        { role: 'user', content: 'My name is Ada.' },
        { role: 'assistant', content: 'Hello Ada.' },
        {
          role: 'user',
          content: [
            { type: 'file', file: { filename: 'a.txt', file_data: 'data:text/plain;base64,VGhlIHdoYWxl' } },
            { type: 'text', text: 'Who am I?' },
          ],
        },
      ],
    });
    expect(answer.choices[0]?.message.content).toBe('seen');
    const [first, second] = mock.calls;
    expect(first?.request.system).toContain('Answer in verse.');
    expect(second?.request.prompt).toContain('The whale');
  });

  it('streams turns as reasoning and the answer once it is accepted, with usage where it was asked for', async () => {
    const { client } = await serve({
      respond: ({ index }) => (index === 0 ? cell('print(1 + 1)') : final('It is two.')),
    });
    const stream = await client.chat.completions.create({
      ...ASK,
      stream: true,
      stream_options: { include_usage: true },
    });
    let reasoning = '';
    let content = '';
    let finish: string | null = null;
    let usage: unknown;
    for await (const { choices, usage: given } of stream) {
      const [choice] = choices;
      reasoning += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
      if (content === '' && choice?.delta.content) expect(reasoning).toContain('print(1 + 1)');
      content += choice?.delta.content ?? '';
      finish ??= choice?.finish_reason ?? null;
      usage = given ?? usage;
    }
    expect(content).toBe('It is two.');
    expect(finish).toBe('stop');
    expect(usage).toMatchObject({ prompt_tokens: expect.any(Number) as number });
  });

  it('answers in the form of a schema', async () => {
    const { client } = await serve({ respond: () => 'FINAL({"name": "Ahab", "age": 58})' });
    const format = zodResponseFormat(z.object({ name: z.string(), age: z.number() }), 'person');
    const { choices } = await client.chat.completions.parse({ ...ASK, response_format: format });
    expect(choices[0]?.message.parsed).toEqual({ name: 'Ahab', age: 58 });
    const object = await client.chat.completions.create({ ...ASK, response_format: { type: 'json_object' } });
    expect(JSON.parse(object.choices[0]?.message.content ?? '')).toEqual({ name: 'Ahab', age: 58 });
  });

  it('bounds the answer by max_tokens and says so', async () => {
    const { client } = await serve({ respond: () => final('word '.repeat(200).trim()) });
    const { choices } = await client.chat.completions.create({ ...ASK, max_completion_tokens: 10 });
    expect(choices[0]?.finish_reason).toBe('length');
    expect(choices[0]?.message.content?.length).toBeLessThan(100);
  });

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['functions', { functions: [{ name: 'f' }] }],
    ['n', { n: 2 }],
    ['messages', { messages: [{ role: 'user', content: [{ type: 'text', text: 5 }] }] }],
    ['messages', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages', { messages: [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'x' } }] }] }],
    [
      'response_format',
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'y' } } } },
    ],
    ['logprobs', { logprobs: true }],
    ['audio', { modalities: ['audio'], audio: { voice: 'x' } }],
    ['messages', { messages: [] }],
    ['max_tokens', { max_tokens: 0 }],
    ['temperature', { temperature: 'hot' }],
    ['response_format', { response_format: { type: 'xml' } }],
    ['response_format', { response_format: { type: 'json_schema', json_schema: { name: 'x' } } }],
  ])('refuses %s by name before anything is spent', async (param, wrong) => {
    const { server, mock } = await serve({ respond: () => final('never') });
    const { status, json } = await raw(`${server.url}/v1/chat/completions`, { body: { ...ASK, ...wrong } });
    expect({ status, json }).toMatchObject({ status: 400, json: { error: { code: 'invalid-option', param } } });
    expect(mock.calls).toEqual([]);
  });

  it.each([
    [{ max_tokens: -1 }, 'The field max_tokens is not valid: it has to be at least 1.'],
    [{ max_tokens: 'x' }, 'The field max_tokens is not valid: it has to be a whole number.'],
    [{ stream: 'true' }, 'The field stream is not valid: it has to be true or false.'],
    [{ reasoning_effort: 'ultra' }, 'it has to be one of none, minimal, low, medium, high, xhigh'],
    [
      { messages: [{ role: 'user', content: 5 }] },
      'The field messages.0.content is not valid: it has to be a text or a list.',
    ],
    [{ messages: [] }, 'The field messages is not valid: it must not be empty.'],
    [{ messages: undefined }, 'The request is not valid: it needs the field messages.'],
  ])('says of %j what it has to be', async (wrong, message) => {
    const { server } = await serve({ respond: () => final('never') });
    const { text } = await raw(`${server.url}/v1/chat/completions`, { body: { ...ASK, ...wrong } });
    expect(text).toContain(message);
  });

  it('names settings that have no effect in a header', async () => {
    const { client } = await serve({ respond: () => final('x') });
    const { response } = await client.chat.completions.create({ ...ASK, top_p: 0.5, store: false }).withResponse();
    expect(response.headers.get('x-fathom-warnings')).toBe(
      'top_p has no effect: the root model is asked with its own default. store has no effect: the store of the server has every run.',
    );
  });

  it('sends temperature and effort to the root model, and not to its sub-calls', async () => {
    const respond = ({ prompt }: { readonly prompt: string }): string =>
      prompt === 'sub' ? 'yes' : '```repl\nFINAL(llm_query("sub"))\n```';
    const { client, mock } = await serve({ respond });
    await client.chat.completions.create({ ...ASK, temperature: 0.25 });
    expect(mock.calls[0]?.request.body).toMatchObject({ temperature: 0.25 });
    expect(mock.calls).toHaveLength(2);
    expect(mock.calls[1]?.request.body).not.toHaveProperty('temperature');
  });

  it('merges them with the settings of the server, and takes its mode', async () => {
    const reply = '```repl\nFINAL(llm_query("sub"))\n```';
    const modelSettings = { temperature: 0.5, sub: { temperature: 0.75 } };
    const { client, mock, events } = await serve({
      respond: ({ prompt }) => (prompt === 'sub' ? 'yes' : reply),
      server: { models: { fathom: { modelSettings }, quick: { mode: 'direct' }, 'vendor/one': {} } },
    });
    await client.chat.completions.create({ ...ASK, temperature: 0.25 });
    expect(mock.calls.map(({ request }) => request.body.temperature)).toEqual([0.25, 0.75]);
    mock.respondWith(() => 'a direct answer');
    const { choices } = await client.chat.completions.create({ ...ASK, model: 'quick' });
    expect(choices[0]?.message.content).toBe('a direct answer');
    expect(events).toContainEqual(expect.objectContaining({ type: 'route.chosen', chosen: 'direct' }));
    // The name of a model may have a slash.
    expect(await client.models.retrieve('vendor/one')).toMatchObject({ id: 'vendor/one' });
  });

  it('answers for an unknown model, and for a failing one within a stream', async () => {
    const { client, server } = await serve({
      respond: () => ({ fault: 'status', status: 401, error: { message: 'bad key' } }),
    });
    await expect(client.chat.completions.create({ ...ASK, model: 'other' })).rejects.toMatchObject({
      ...{ status: 404, code: 'model_not_found', param: 'model' },
    });
    const { status, text } = await raw(`${server.url}/v1/chat/completions`, { body: { ...ASK, stream: true } });
    expect(status).toBe(200);
    expect(sseData(text).at(-1)).toMatchObject({
      error: { type: 'server_error', message: expect.any(String) as string },
    });
    expect(text).not.toContain('[DONE]');
  });

  it('sends a comment in silence', async () => {
    const { server } = await serve({
      respond: () => ({ text: final('slow'), latencyMs: 200 }),
      server: { limits: { keepAliveMs: 20 } },
    });
    const { text } = await raw(`${server.url}/v1/chat/completions`, { body: { ...ASK, stream: true } });
    expect(text).toContain(': keep-alive\n\n');
    expect(text).toContain('slow');
  });
});

describe('a client that disconnects', () => {
  it.each([false, true])('cancels its own run within 100 ms, and no other (stream: %s)', async (stream) => {
    const { server, client, mock, rlm, events } = await serve({
      respond: ({ prompt }) => ({ text: final('done'), latencyMs: prompt.includes('other') ? 700 : 60_000 }),
    });
    const leaving = new AbortController();
    const gone = openAi(server)
      .chat.completions.create({ ...ASK, stream }, { signal: leaving.signal })
      .then(async (reply) => {
        for await (const _ of reply as AsyncIterable<unknown>);
      })
      .catch(() => undefined);
    const other = client.chat.completions.create({ model: 'fathom', messages: [{ role: 'user', content: 'other' }] });
    other.catch(() => undefined);
    await until(() => mock.inFlight === 2, 'both runs asked their model');
    leaving.abort();
    const begin = performance.now();
    const hasEnded = (): boolean => events.some(({ type }) => type === 'run.completed');
    await until(() => mock.inFlight === 1 && hasEnded(), 'its call and its run have ended');
    const took = performance.now() - begin;
    await gone;
    await until(() => rlm.status().runs === 1, 'its REPL is gone');
    expect(took).toBeLessThan(100);
    expect((await other).choices[0]?.message.content).toBe('done');
    const ends = events.filter(({ type }) => type === 'run.completed');
    expect(ends.map((event) => (event as { outcome: string }).outcome)).toEqual(['aborted', 'converged']);
  });
});
