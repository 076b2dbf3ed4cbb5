/** `/v1/runs` over sockets: events, cancel, finish, who sees what, shutdown and restart. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRlm, memoryStore } from '../../src/index.ts';
import { startServer } from '../../src/server/index.ts';
import { cell } from '../engine/harness.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { final, KEY, raw, type Served, serve, sseData, until } from './harness.ts';

type Json = Readonly<Record<string, unknown>>;

/** Starts a run; its id. */
async function start(
  { server }: Pick<Served, 'server'>,
  body: Json,
  headers: Record<string, string> = {},
): Promise<string> {
  const { status, json, text } = await raw(`${server.url}/v1/runs`, { body, headers });
  if (status !== 202) throw new Error(text);
  return String(json.id);
}

async function statusOf({ server }: Pick<Served, 'server'>, id: string): Promise<unknown> {
  return (await raw(`${server.url}/v1/runs/${id}`)).json.status;
}

/** Two turns: the second model call waits until it is released. */
function twoTurns(): { readonly respond: Parameters<typeof serve>[0]['respond']; readonly release: () => void } {
  const released = Promise.withResolvers<void>();
  return {
    respond: async ({ messages }) => {
      if (messages.filter(({ role }) => role === 'assistant').length === 0) return cell('n = 41 + 1', 'print(n)');
      await released.promise;
      return 'FINAL_VAR(n)';
    },
    release: () => released.resolve(),
  };
}

describe('a run of the server', () => {
  it('takes texts, files and a schema, and has its result when it has ended', async () => {
    const served = await serve({
      respond: ({ messages }) =>
        messages.length < 3
          ? cell('print(context["text"], context["files"][0].text)')
          : 'FINAL({"n": 12345678901234567890})',
    });
    const id = await start(served, {
      ...{ query: 'How many?', context: 'three', files: [{ name: 'a.txt', text: 'four' }] },
      schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    });
    await until(async () => (await statusOf(served, id)) === 'completed', 'the run has ended');
    const { json } = await raw(`${served.server.url}/v1/runs/${id}`);
    expect(json).toMatchObject({ query: 'How many?', detached: true, result: { outcome: 'converged', typed: true } });
    expect((json.result as { text: string }).text).toContain('12345678901234567890');
    expect(served.mock.calls[1]?.request.prompt).toContain('three four');
    const { json: listed } = await raw(`${served.server.url}/v1/runs?status=completed`);
    expect(listed).toMatchObject({ data: [{ id }] });
    expect((await raw(`${served.server.url}/v1/runs?status=odd`)).status).toBe(400);
  });

  it.each([
    ['{"query":" "}', 'query', 'it must not be empty'],
    ['{"query":"q","foo":1}', 'foo', 'there is no such field; the fields are query, context'],
    ['{"query":"q","files":[{"name":"a","text":"b","size":1}]}', 'files', 'there is no such field'],
    ['{"query":"q","schema":{"type":"odd"}}', 'schema', 'is not a type'],
    [
      '{"query":"q","context":{"order":{"id":12345678901234567890}}}',
      'context',
      'context.order.id: 12345678901234567890',
    ],
  ])('refuses %s by name', async (body, param, message) => {
    const served = await serve({ respond: () => final('never') });
    const refused = await raw(`${served.server.url}/v1/runs`, { body });
    expect(refused).toMatchObject({ status: 400, json: { error: { code: 'invalid-option', param } } });
    expect(refused.text).toContain(message);
    expect(served.mock.calls).toEqual([]);
  });

  it('sends its events, and continues behind Last-Event-ID without a gap', async () => {
    const { respond, release } = twoTurns();
    const served = await serve({ respond });
    const id = await start(served, { query: 'go' });
    await until(() => served.mock.inFlight === 1 && served.mock.calls.length === 2, 'the second turn waits');
    const url = `${served.server.url}/v1/runs/${id}/events`;
    const live = await fetch(url);
    const reader = (live.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? '';
    release();
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
    const numbers = [...text.matchAll(/^id: (\d+)$/gm)].map(([, n]) => Number(n));
    const stored = await served.store.events.read(id);
    // The terminal event has no id: a resumed run would take it back.
    expect(numbers).toEqual(stored.slice(0, -1).map(({ seq }) => seq));
    expect(sseData(text).at(-1)).toMatchObject({ type: 'run.completed', outcome: 'converged' });
    expect(text).toContain('event: model.delta');
    const rest = await raw(url, { headers: { 'last-event-id': '3' } });
    expect([...rest.text.matchAll(/^id: (\d+)$/gm)].map(([, n]) => Number(n))).toEqual(numbers.filter((n) => n > 3));
    for (const beyond of ['x', '-1', '999999']) {
      const refused = await raw(url, { headers: { 'last-event-id': beyond } });
      expect(refused).toMatchObject({ status: 400, json: { error: { param: 'Last-Event-ID' } } });
    }
  });

  it('is cancelled or asked for its best answer', async () => {
    const served = await serve({ respond: () => ({ text: final('late'), latencyMs: 60_000 }) });
    const id = await start(served, { query: 'go' });
    await until(() => served.mock.inFlight === 1, 'the run is at work');
    const { json } = await raw(`${served.server.url}/v1/runs/${id}/cancel`, { body: { reason: 'enough' } });
    expect(json).toMatchObject({ status: 'aborted', result: { outcome: 'aborted', reason: 'enough' } });
    served.mock.respondWith(({ index, prompt }) =>
      index === 1 ? { text: 'x', latencyMs: 60_000 } : final(`best: ${prompt.length > 0}`),
    );
    const second = await start(served, { query: 'go' });
    await until(() => served.mock.inFlight === 1, 'the second run is at work');
    expect((await raw(`${served.server.url}/v1/runs/${second}/finish`, { method: 'POST' })).status).toBe(200);
    await until(async () => (await statusOf(served, second)) === 'completed', 'the run has ended');
    expect((await raw(`${served.server.url}/v1/runs/${second}`)).json).toMatchObject({
      result: { outcome: 'exhausted', stop: 'finish-requested' },
    });
    for (const action of ['finish', 'resume']) {
      const refused = await raw(`${served.server.url}/v1/runs/${second}/${action}`, { method: 'POST' });
      expect(refused).toMatchObject({ status: 400, json: { error: { code: 'invalid-option' } } });
    }
  });

  it('is seen by its own key alone, and runs of the command by the owner', async () => {
    const keys = { owner: KEY, bob: `${KEY}-bob` };
    const served = await serve({ respond: () => final('secret'), server: { keys } });
    const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
    const own = await start(served, { query: 'go' }, as(keys.bob));
    const { runId } = await served.rlm.completion({ query: 'of the command' });
    for (const path of ['', '/events', '/cancel', '/finish', '/resume']) {
      const method = path === '' || path === '/events' ? 'GET' : 'POST';
      for (const [id, key] of [
        [own, keys.owner],
        [runId, keys.bob],
      ] as const) {
        const { status, json } = await raw(`${served.server.url}/v1/runs/${id}${path}`, { method, headers: as(key) });
        expect({ status, json }).toMatchObject({ status: 404, json: { error: { code: 'run-not-found' } } });
      }
    }
    const idsOf = async (key: string) => {
      const { json } = await raw(`${served.server.url}/v1/runs`, { headers: as(key) });
      return (json.data as { id: string }[]).map(({ id }) => id);
    };
    expect(await idsOf(keys.bob)).toEqual([own]);
    expect(await idsOf(keys.owner)).toEqual([runId]);
  });

  it('reads paths only below the folders of the server', async () => {
    const served = await serve({
      respond: ({ messages }) => (messages.length < 3 ? cell('print(context[:8])') : final('read')),
      server: { folders: ['docs'] },
    });
    const id = await start(served, { query: 'go', paths: ['errors.md'] });
    await until(async () => (await statusOf(served, id)) === 'completed', 'the run has ended');
    expect(served.mock.calls[1]?.request.prompt).toContain('# ');
    for (const path of ['../package.json', '/etc/passwd']) {
      const refused = await raw(`${served.server.url}/v1/runs`, { body: { query: 'go', paths: [path] } });
      expect(refused.status).toBe(400);
    }
    const none = await serve({ respond: () => final('never') });
    const refused = await raw(`${none.server.url}/v1/runs`, { body: { query: 'go', paths: ['errors.md'] } });
    expect(refused).toMatchObject({ status: 400, json: { error: { param: 'paths' } } });
  });
});

describe('shutdown', () => {
  it('pauses runs that wait for a REPL as well, and a restart continues them', async () => {
    const mock = await startMockProvider({ respond: () => ({ fault: 'hang-before-headers' }) });
    onTestFinished(() => mock.close());
    const store = memoryStore();
    const make = () => createRlm({ model: `${mock.url}/v1#root`, requireInspection: false, store, maxRepls: 1 });
    const rlm = make();
    const server = await startServer({ rlm, store });
    const ids = [await start({ server }, { query: 'one' }), await start({ server }, { query: 'two' })];
    expect(rlm.status()).toMatchObject({ repls: 1, queued: 1 });
    await until(() => mock.inFlight === 1, 'the first run is at work');
    await server.close();
    await rlm.close();
    for (const id of ids) expect((await store.runs.get(id))?.status, id).toBe('paused');
    mock.respondWith(() => final('done'));
    const again = make();
    onTestFinished(() => again.close());
    const restarted = await startServer({ rlm: again, store });
    onTestFinished(() => restarted.close());
    for (const id of ids) {
      await until(async () => (await statusOf({ server: restarted }, id)) === 'completed', `${id} has ended`);
    }
  });

  it('pauses the runs of the server, cancels those of connections, and a restart resumes the first', async () => {
    const { respond, release } = twoTurns();
    const mock = await startMockProvider({ respond });
    onTestFinished(() => mock.close());
    const store = memoryStore();
    const make = () => createRlm({ model: `${mock.url}/v1#root`, requireInspection: false, store });
    const rlm = make();
    const server = await startServer({ rlm, store });
    const id = await start({ server }, { query: 'go' });
    const bound = raw(`${server.url}/v1/chat/completions`, {
      body: { model: 'fathom', messages: [{ role: 'user', content: 'bound' }] },
    });
    await until(() => mock.inFlight === 2 && mock.calls.length === 4, 'both wait in their second turn');
    // Its headers have come: the stream is open.
    const watching = await fetch(`${server.url}/v1/runs/${id}/events`);
    await server.close();
    await rlm.close();
    const watched = await watching.text();
    expect(sseData(watched).map(({ type }) => type)).not.toContain('run.completed');
    const last = [...watched.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? '';
    expect(await bound).toMatchObject({ status: 409, json: { error: { code: 'cancelled' } } });
    expect((await store.runs.get(id))?.status).toBe('paused');
    const [boundRecord] = await store.runs.list({ text: 'bound' });
    expect(boundRecord?.status).toBe('aborted');
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();

    release();
    const again = make();
    onTestFinished(() => again.close());
    const restarted = await startServer({ rlm: again, store });
    onTestFinished(() => restarted.close());
    await until(async () => (await statusOf({ server: restarted }, id)) === 'completed', 'the paused run has ended');
    expect((await raw(`${restarted.url}/v1/runs/${id}`)).json).toMatchObject({ result: { text: '42' } });
    const { text: rest } = await raw(`${restarted.url}/v1/runs/${id}/events`, { headers: { 'last-event-id': last } });
    expect(sseData(rest).map(({ type }) => type)).toContain('run.resumed');
    expect(sseData(rest).at(-1)).toMatchObject({ type: 'run.completed', outcome: 'converged' });
    // The first turn is not asked again; the second one was cut short and is.
    expect(mock.calls).toHaveLength(5);
    expect((await raw(`${restarted.url}/v1/runs/${boundRecord?.id}`)).json).toMatchObject({ status: 'aborted' });
  });
});

it('the figures of /v1/status and /metrics are those of the library', async () => {
  const served = await serve({ respond: () => ({ text: final('x'), latencyMs: 60_000 }), rlm: { maxRepls: 1 } });
  const ids = [await start(served, { query: 'one' }), await start(served, { query: 'two' })];
  const { maxRepls, maxQueuedRuns, repls, sessions, queued, runs } = served.rlm.status();
  expect({ repls, queued, runs }).toEqual({ repls: 1, queued: 1, runs: 2 });
  const { json } = await raw(`${served.server.url}/v1/status`);
  expect(json).toEqual({
    ...{ max_repls: maxRepls, max_queued_runs: maxQueuedRuns, repls, sessions, queued, runs },
    own: { key: 'owner', runs: 2, max_runs: 64 },
  });
  for (const id of ids) await raw(`${served.server.url}/v1/runs/${id}/cancel`, { method: 'POST' });
  const { text } = await raw(`${served.server.url}/metrics`);
  expect(text).toContain('fathom_queued_runs 0\n');
  expect(text).toContain(`fathom_max_repls ${maxRepls}\n`);
  expect(text).toContain('fathom_runs_total{outcome="aborted",stop="cancelled"} 2\n');
  expect(text).toContain('fathom_http_requests_total{route="/v1/runs/:id/cancel",method="POST",status="200"} 2\n');
});
