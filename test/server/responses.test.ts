/** `/v1/responses` over sockets, with the official client. */
import { zodTextFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cell } from '../engine/harness.ts';
import { schemaNamed } from './check-response.ts';
import { final, KEY, openAi, raw, serve, sseData, until } from './harness.ts';

const ASK = { model: 'fathom', input: 'What is it?' };

describe('a response', () => {
  it('answers with usage, and can be read again', async () => {
    const { client } = await serve({ respond: () => final('a whale') });
    const response = await client.responses.create({ ...ASK, instructions: 'Be brief.' });
    expect(response).toMatchObject({ object: 'response', status: 'completed', output_text: 'a whale' });
    expect(response.usage?.total_tokens).toBeGreaterThan(0);
    const again = await client.responses.retrieve(response.id);
    expect(again).toMatchObject({ id: response.id, status: 'completed', output_text: 'a whale', model: 'fathom' });
    expect(again.usage).toEqual(response.usage);
  });

  it('reads messages, files and items of earlier responses', async () => {
    const { client, mock } = await serve({
      respond: ({ index }) =>
        index === 0 ? cell('print(context["conversation"], context["files"][0].text)') : final('seen'),
    });
    const { output_text } = await client.responses.create({
      model: 'fathom',
      input: [
        { role: 'developer', content: 'Answer in verse.' },
        { role: 'user', content: 'My name is Ada.' },
        { type: 'reasoning', id: 'rs_1', summary: [] },
        {
          role: 'user',
          content: [
            { type: 'input_file', filename: 'a.txt', file_data: `data:text/plain;base64,${btoa('The whale')}` },
            { type: 'input_text', text: 'Who am I?' },
          ],
        },
      ],
    });
    expect(output_text).toBe('seen');
    expect(mock.calls[1]?.request.prompt).toMatch(/My name is Ada.*The whale/);
  });

  it('streams the documented sequence of events', async () => {
    const { client } = await serve({
      respond: ({ index }) => (index === 0 ? cell('print(1 + 1)') : final('It is two.')),
    });
    const types: string[] = [];
    const numbers: number[] = [];
    let text = '';
    let reasoning = '';
    const stream = client.responses.stream(ASK);
    for await (const event of stream) {
      types.push(event.type);
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.reasoning_summary_text.delta') reasoning += event.delta;
    }
    expect([...new Set(types)]).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added'],
      ...['response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta'],
      ...['response.reasoning_summary_text.done', 'response.reasoning_summary_part.done', 'response.output_item.done'],
      ...['response.content_part.added', 'response.output_text.delta', 'response.output_text.done'],
      ...['response.content_part.done', 'response.completed'],
    ]);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(text).toBe('It is two.');
    expect(reasoning).toContain('print(1 + 1)');
    const whole = await stream.finalResponse();
    expect(whole).toMatchObject({ output_text: 'It is two.', status: 'completed' });
    expect(
      schemaNamed('Response')
        .validate(JSON.parse(JSON.stringify({ ...whole, output_text: undefined, output_parsed: undefined })))
        .errors.map((e) => e.error),
    ).toEqual([]);
  });

  it('answers in the form of a schema', async () => {
    const { client } = await serve({ respond: () => 'FINAL({"name": "Ahab"})' });
    const format = zodTextFormat(z.object({ name: z.string() }), 'person');
    const { output_parsed } = await client.responses.parse({ ...ASK, text: { format } });
    expect(output_parsed).toEqual({ name: 'Ahab' });
  });

  it('is incomplete where the answer was cut', async () => {
    const { client } = await serve({ respond: () => final('word '.repeat(200).trim()) });
    const response = await client.responses.create({ ...ASK, max_output_tokens: 16 });
    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  it.each([
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: 'conv_1' }],
    ['tools', { tools: [{ type: 'web_search' }] }],
    ['input', { input: [] }],
    ['input', { input: [{ type: 'item_reference', id: 'x' }] }],
    ['text.format', { text: { format: { type: 'json_schema', name: 'x' } } }],
  ])('refuses %s by name', async (param, wrong) => {
    const { server, mock } = await serve({ respond: () => final('never') });
    const { status, json } = await raw(`${server.url}/v1/responses`, { body: { ...ASK, ...wrong } });
    expect({ status, json }).toMatchObject({ status: 400, json: { error: { param } } });
    expect(mock.calls).toEqual([]);
  });

  it.each([
    [{ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x/y.png' }] }] }, 'input'],
    [{ input: [{ role: 'system', content: 'no question' }] }, 'input'],
  ])('names the field of %j', async (wrong, param) => {
    const { server } = await serve({ respond: () => final('never') });
    const { status, json } = await raw(`${server.url}/v1/responses`, { body: { ...ASK, ...wrong } });
    expect({ status, json }).toMatchObject({ status: 400, json: { error: { param } } });
  });

  it('cannot be streamed again', async () => {
    const { client } = await serve({ respond: () => final('x') });
    const { id } = await client.responses.create(ASK);
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({
      status: 400,
      param: 'stream',
    });
  });

  it('fails within its stream with the code of the table', async () => {
    const { server } = await serve({
      respond: () => ({ fault: 'status', status: 401, error: { message: 'bad key' } }),
    });
    const { text } = await raw(`${server.url}/v1/responses`, { body: { ...ASK, stream: true } });
    expect(sseData(text).at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { message: expect.any(String) as string } },
    });
  });
});

describe('a response in the background', () => {
  it('outlives its connection and is read when it is done', async () => {
    const { client, store } = await serve({ respond: () => ({ text: final('late'), latencyMs: 100 }) });
    const { id, status, background } = await client.responses.create({ ...ASK, background: true });
    expect({ status, background }).toEqual({ status: 'in_progress', background: true });
    await until(async () => (await client.responses.retrieve(id)).status === 'completed', 'the response is done');
    expect(await client.responses.retrieve(id)).toMatchObject({ output_text: 'late', background: true });
    expect(await store.runs.get(id.slice(5))).toMatchObject({ owner: { detached: true } });
  });

  it('can be cancelled', async () => {
    const { client, mock } = await serve({ respond: () => ({ text: final('never'), latencyMs: 60_000 }) });
    const { id } = await client.responses.create({ ...ASK, background: true });
    await until(() => mock.inFlight === 1, 'the run is at work');
    expect(await client.responses.cancel(id)).toMatchObject({ status: 'cancelled' });
    await until(() => mock.inFlight === 0, 'the call has ended');
  });

  it('continues when the reader of its stream leaves', async () => {
    const { client, mock } = await serve({ respond: () => ({ text: final('late'), latencyMs: 300 }) });
    const stream = await client.responses.create({ ...ASK, background: true, stream: true });
    let id = '';
    for await (const event of stream) {
      if (event.type === 'response.created') id = event.response.id;
      if (mock.inFlight === 1) break;
    }
    await until(async () => (await client.responses.retrieve(id)).status === 'completed', 'the response is done');
  });

  it('is seen by its own key alone', async () => {
    const keys = { alice: KEY, bob: `${KEY}-bob` };
    const { server } = await serve({ respond: () => final('secret'), server: { keys } });
    const { id } = await openAi(server).responses.create(ASK);
    await expect(openAi(server, keys.bob).responses.retrieve(id)).rejects.toMatchObject({
      status: 404,
      code: 'run-not-found',
    });
    expect(await openAi(server).responses.retrieve(id)).toMatchObject({ output_text: 'secret' });
  });
});
