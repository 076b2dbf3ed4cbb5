/** `/v1/sessions` over sockets. */
import { expect, it } from 'vitest';
import { final, KEY, raw, serve, until } from './harness.ts';

type Json = Readonly<Record<string, unknown>>;

it('a session has variables, snapshots, commands and runs', async () => {
  const { server } = await serve({ respond: () => 'FINAL_VAR(n)', rlm: { maxRepls: 4 } });
  const { status, json } = await raw(`${server.url}/v1/sessions`, { body: { context: 'a text' } });
  expect({ status, json }).toMatchObject({ status: 201, json: { object: 'session', state: 'ready' } });
  const url = `${server.url}/v1/sessions/${String(json.id)}`;
  const post = async (path: string, body: Json) => await raw(`${url}/${path}`, { body });
  expect((await post('execute', { code: 'n = 1\nlen(context)' })).json).toMatchObject({
    ok: true,
    value: '6',
    error: null,
  });
  expect((await post('execute', { code: '1 / 0' })).json).toMatchObject({
    ok: false,
    error: { type: 'ZeroDivisionError' },
  });
  expect((await post('bash', { command: 'echo hi; exit 3' })).json).toMatchObject({
    ok: false,
    exit_code: 3,
    stdout: 'hi\n',
  });
  expect((await post('snapshots', { name: 'one' })).status).toBe(201);
  expect((await raw(`${url}/variables/n`, { method: 'PUT', body: { value: 42 } })).json).toEqual({
    name: 'n',
    value: 42,
  });
  expect((await raw(`${url}/variables/n`)).json).toEqual({ name: 'n', value: 42 });
  expect((await raw(`${url}/variables`)).text).toContain('"n"');
  const run = await post('runs', { query: 'How many?' });
  expect(run).toMatchObject({ status: 202, json: { session_id: json.id } });
  const runUrl = `${server.url}/v1/runs/${String(run.json.id)}`;
  await until(async () => (await raw(runUrl)).json.status === 'completed', 'the run has ended');
  expect((await raw(runUrl)).json).toMatchObject({ result: { text: '42' } });
  expect((await post('rollback', { name: 'one' })).status).toBe(200);
  expect((await raw(`${url}/variables/n`)).json).toEqual({ name: 'n', value: 1 });
  expect((await raw(`${url}/snapshots`)).json).toMatchObject({ data: [{ name: 'one' }] });
  expect((await raw(`${url}/snapshots/one`, { method: 'DELETE' })).json).toMatchObject({ snapshots: [] });
  expect((await raw(`${url}/extend`, { method: 'POST' })).json).toMatchObject({ extensions: 1 });
  expect((await raw(`${server.url}/v1/sessions`)).json).toMatchObject({ data: [{ id: json.id }] });
  expect((await raw(url, { method: 'DELETE' })).json).toMatchObject({ state: 'terminated' });
  expect((await raw(url, { method: 'DELETE' })).json).toMatchObject({ state: 'terminated' });
  expect(await post('execute', { code: '1' })).toMatchObject({
    status: 410,
    json: { error: { code: 'session-closed' } },
  });
});

it('a command is interrupted when its client disconnects, and the session can be used again', async () => {
  const { server } = await serve({ respond: () => final('x'), rlm: { maxRepls: 4 } });
  const { json } = await raw(`${server.url}/v1/sessions`, { body: {} });
  const url = `${server.url}/v1/sessions/${String(json.id)}`;
  const leaving = new AbortController();
  const code = 'import time\nfor _ in range(600): time.sleep(0.1)';
  const gone = fetch(`${url}/execute`, {
    ...{ method: 'POST', signal: leaving.signal, headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ code }),
  }).catch(() => 'gone');
  await until(async () => (await raw(url)).json.state === 'executing', 'the command runs');
  leaving.abort();
  expect(await gone).toBe('gone');
  expect((await raw(`${url}/execute`, { body: { code: '1 + 1' } })).json).toMatchObject({ ok: true, value: '2' });
});

it('another key sees nothing of a session', async () => {
  const keys = { alice: KEY, bob: `${KEY}-bob` };
  const { server } = await serve({ respond: () => final('x'), server: { keys }, rlm: { maxRepls: 4 } });
  const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
  const { json } = await raw(`${server.url}/v1/sessions`, { body: {}, headers: as(keys.alice) });
  const url = `${server.url}/v1/sessions/${String(json.id)}`;
  const headers = as(keys.bob);
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['DELETE', '', undefined],
    ['POST', '/extend', undefined],
    ['POST', '/execute', { code: '1' }],
    ['POST', '/bash', { command: 'ls' }],
    ['POST', '/runs', { query: 'go' }],
    ['GET', '/variables', undefined],
    ['GET', '/variables/n', undefined],
    ['PUT', '/variables/n', { value: 1 }],
    ['GET', '/snapshots', undefined],
    ['POST', '/snapshots', { name: 'x' }],
    ['POST', '/rollback', { name: 'x' }],
    ['DELETE', '/snapshots/x', undefined],
  ] as const) {
    const refused = await raw(`${url}${path}`, { method, headers, body });
    expect([method, path, refused.status, refused.json.error]).toMatchObject([
      method,
      path,
      404,
      { code: 'session-not-found' },
    ]);
  }
  // The words are those about a session that does not exist.
  const missing = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const words = (id: unknown) => raw(`${server.url}/v1/sessions/${String(id)}`, { headers });
  const [foreign, unknown] = [await words(json.id), await words(missing)];
  expect(foreign.text.replaceAll(String(json.id), missing)).toBe(unknown.text);
  expect((await raw(`${server.url}/v1/sessions`, { headers })).json).toMatchObject({ data: [] });
  expect((await raw(url, { headers: as(keys.alice) })).json).toMatchObject({ state: 'ready' });
});
