/** Malformed, oversized, slow, wrong-key and wrong-Host requests, and what a server refuses to be. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createRlm, memoryStore } from '../../src/index.ts';
import { type ServerOptions, startServer } from '../../src/server/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { final, KEY, raw, serve, until } from './harness.ts';

const respond = () => final('yes');
const CHAT = '/v1/chat/completions';
const ASK = { model: 'fathom', messages: [{ role: 'user', content: 'Is it?' }] };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('keys', () => {
  it.each([
    ['no key', {}],
    ['a wrong key', bearer('test-key-9999999999')],
    ['the beginning of a key', bearer(KEY.slice(0, 10))],
    ['a key in another scheme', { authorization: `Basic ${KEY}` }],
  ])('%s is refused with 401, and the right one is not', async (_, headers) => {
    const { server, mock } = await serve({ respond, server: { keys: { owner: KEY } } });
    const refused = await raw(`${server.url}${CHAT}`, { headers, body: ASK });
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      json: { error: { type: 'authentication_error', code: 'invalid_api_key' } },
    });
    expect(refused.text).not.toContain(KEY);
    expect(mock.calls).toEqual([]);
    expect((await raw(`${server.url}/v1/models`, { headers: bearer(KEY) })).status).toBe(200);
    expect((await raw(`${server.url}/healthz`)).json).toEqual({ status: 'ok' });
  });

  it('are needed on an address that other machines reach', async () => {
    const store = memoryStore();
    await using rlm = createRlm({ model: scriptedModel([]), store });
    const start = (options: Partial<ServerOptions>) => startServer({ rlm, store, ...options });
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.com']) {
      await expect(start({ host })).rejects.toMatchObject({ code: 'invalid-option' });
    }
    await expect(start({ keys: { 'a b': KEY } })).rejects.toMatchObject({ code: 'invalid-option' });
    const short = start({ keys: { owner: 'secret' } });
    await expect(short).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(short).rejects.not.toThrow(/secret/);
    await using open = await start({ host: '0.0.0.0', keys: { owner: KEY } });
    const { port } = new URL(open.url);
    expect((await raw(`http://127.0.0.1:${port}/metrics`)).status).toBe(401);
    expect((await raw(`http://127.0.0.1:${port}/metrics`, { headers: bearer(KEY) })).status).toBe(200);
  });
});

describe('Host and Origin', () => {
  it.each([
    ['a foreign Host', { host: 'evil.example' }, 'forbidden-host'],
    ['a foreign Origin', { origin: 'https://evil.example' }, 'forbidden-origin'],
    ['an opaque Origin', { origin: 'null' }, 'forbidden-origin'],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 'forbidden-origin'],
  ])('%s is refused with 403 before the body is looked at', async (_, headers, code) => {
    const { server } = await serve({ respond });
    const { status, json } = await raw(`${server.url}${CHAT}`, { headers, body: '{' });
    expect({ status, json }).toMatchObject({ status: 403, json: { error: { code } } });
  });

  it.each(['127.0.0.1@evil.example', '127.0.0.1#', 'a b'])('the Host %s is not valid', async (host) => {
    const { server } = await serve({ respond });
    const { status, json } = await raw(`${server.url}${CHAT}`, { headers: { host }, body: ASK });
    expect({ status, json }).toMatchObject({ status: 400, json: { error: { code: 'malformed-request' } } });
  });

  it('its own pages, its own names, and what the server allows, are let in', async () => {
    const { server } = await serve({
      respond,
      server: { allowedHosts: ['fathom.internal'], allowedOrigins: ['https://app.example'] },
    });
    const { port } = new URL(server.url);
    for (const headers of [
      { origin: server.url },
      { host: `localhost:${port}` },
      { host: `[::1]:${port}` },
      { host: 'fathom.internal' },
    ] as readonly Record<string, string>[]) {
      expect((await raw(`${server.url}/v1/models`, { headers })).status).toBe(200);
    }
    const allowed = await raw(`${server.url}/v1/models`, { headers: { origin: 'https://app.example' } });
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example');
  });
});

describe('bodies', () => {
  it.each([
    ['no JSON', 'hello', {}, 400, 'malformed-request'],
    ['cut JSON', '{"model":', {}, 400, 'malformed-request'],
    ['a list', '[]', {}, 400, 'malformed-request'],
    ['an empty one', '', {}, 400, 'malformed-request'],
    ['another type', '{}', { 'content-type': 'text/plain' }, 415, 'wrong-media-type'],
    ['an unknown field of the wrong kind', '{"model":1,"messages":[]}', {}, 400, 'invalid-option'],
  ])('%s is refused', async (_, body, headers: Record<string, string>, status, code) => {
    const { server, mock } = await serve({ respond });
    const refused = await raw(`${server.url}${CHAT}`, { body, headers, method: 'POST' });
    expect(refused).toMatchObject({ status, json: { error: { code } } });
    expect(mock.calls).toEqual([]);
  });

  it('compressed ones are refused by name', async () => {
    const { server } = await serve({ respond });
    const headers = { 'content-encoding': 'gzip' };
    const refused = await raw(`${server.url}${CHAT}`, { body: ASK, headers });
    expect(refused).toMatchObject({ status: 415, json: { error: { code: 'wrong-media-type' } } });
    expect(refused.text).toContain('Content-Encoding');
    expect((await raw(`${server.url}${CHAT}`, { body: ASK, headers: { 'content-encoding': 'identity' } })).status).toBe(
      200,
    );
  });

  it('larger ones than the limit are refused with 413, announced or not', async () => {
    const { server } = await serve({ respond, server: { limits: { bodyBytes: 1_000 } } });
    const body = JSON.stringify({ ...ASK, pad: 'x'.repeat(2_000) });
    const announced = await raw(`${server.url}${CHAT}`, { body, headers: { 'content-length': String(body.length) } });
    expect(announced).toMatchObject({ status: 413, json: { error: { code: 'body-too-large' } } });
    const chunked = await raw(`${server.url}${CHAT}`, { body, headers: { 'transfer-encoding': 'chunked' } });
    expect(chunked).toMatchObject({ status: 413, json: { error: { code: 'body-too-large' } } });
  });

  it('more of them at once than the limit are refused with 429', async () => {
    const { server } = await serve({ respond, server: { limits: { openBodyBytes: 1_000 } } });
    const refused = await raw(`${server.url}${CHAT}`, { body: { ...ASK, pad: 'x'.repeat(2_000) } });
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
      json: { error: { code: 'overloaded' } },
    });
  });
});

/** In the chunked form, seven characters a piece. */
function pieces(body: string): string {
  const parts = body.match(/[\s\S]{1,7}/g) ?? [];
  return `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`;
}

/** Writes to a socket, and collects what comes until it is closed. */
async function talk(url: string, write: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(write);
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

const HEAD = `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`;

describe('slow and broken requests', () => {
  const limits = { headerTimeoutMs: 200, bodyTimeoutMs: 200 };

  it('slow headers are answered with 408 and closed', async () => {
    const { server } = await serve({ respond, server: { limits } });
    const text = await talk(server.url, 'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"slow-request"');
  });

  it('a slow body is answered with 408 and closed, and holds nothing', async () => {
    const { server, mock, rlm } = await serve({ respond, server: { limits } });
    const text = await talk(server.url, `${HEAD}Content-Length: 1000\r\n\r\n{"model":`);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(mock.calls).toEqual([]);
    expect(rlm.status().runs).toBe(0);
  });

  it.each([
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['a request without a Host', 'GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two ways to find the end of a body', `${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['a handshake of TLS', '\u0016\u0003\u0001\u0000\u0005\u0001\u0000\u0000\u0001\u0000', 400],
    ['huge headers', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s is answered in the envelope', async (_, write, status) => {
    const { server } = await serve({ respond });
    const text = await talk(server.url, write);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toContain('"error"');
  });

  it.each([
    ['of HTTP/1.0', (body: string) => `${HEAD.replace('1.1', '1.0')}Content-Length: ${body.length}\r\n\r\n${body}`],
    ['in pieces', (body: string) => `${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${pieces(body)}`],
    [
      'that asks whether to continue',
      (body: string) =>
        `${HEAD}Expect: 100-continue\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ],
    [
      'with an expectation that means nothing',
      (body: string) => `${HEAD}Expect: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ],
    [
      'behind another one on its connection',
      (body: string) =>
        `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n${HEAD}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ],
  ])('a request %s is answered', async (_, written) => {
    const { server } = await serve({ respond });
    const text = await talk(server.url, written(JSON.stringify(ASK)));
    expect(text).toMatch(/HTTP\/1\.1 200 OK/);
    expect(text).toContain('"content":"yes"');
  });

  it('a method that a route does not take is refused with those that it takes', async () => {
    const { server } = await serve({ respond });
    for (const [method, path, allow] of [
      ['GET', CHAT, 'POST'],
      ['PUT', '/v1/models', 'GET'],
      ['PATCH', '/v1/sessions/x', 'GET, DELETE'],
    ] as const) {
      const refused = await raw(`${server.url}${path}`, { method });
      expect(refused).toMatchObject({
        ...{ status: 405, headers: { allow } },
        json: { error: { code: 'method-not-allowed' } },
      });
    }
  });

  it('unknown routes are named', async () => {
    const { server } = await serve({ respond });
    expect(await raw(`${server.url}/v2/models`)).toMatchObject({
      status: 404,
      json: { error: { code: 'unknown-route' } },
    });
  });
});

describe('too many runs', () => {
  it('of one key are refused with 429 and a time to wait; another key has its own', async () => {
    const { server, mock } = await serve({
      respond: ({ prompt }) => ({ text: final('x'), latencyMs: prompt.includes('wait') ? 60_000 : 0 }),
      server: { keys: { alice: KEY, bob: `${KEY}-bob` }, limits: { maxRunsPerKey: 1 } },
    });
    const leaving = new AbortController();
    const waiting = fetch(`${server.url}${CHAT}`, {
      ...{ method: 'POST', signal: leaving.signal, headers: { 'content-type': 'application/json', ...bearer(KEY) } },
      body: JSON.stringify({ ...ASK, messages: [{ role: 'user', content: 'wait' }] }),
    }).catch(() => undefined);
    await until(() => mock.inFlight === 1, 'the first run is at work');
    const refused = await raw(`${server.url}${CHAT}`, { body: ASK, headers: bearer(KEY) });
    expect(refused).toMatchObject({
      ...{ status: 429, headers: { 'retry-after': '1', 'x-should-retry': 'true' } },
      json: { error: { type: 'rate_limit_error', code: 'overloaded', param: 'maxRunsPerKey' } },
    });
    expect((await raw(`${server.url}${CHAT}`, { body: ASK, headers: bearer(`${KEY}-bob`) })).status).toBe(200);
    leaving.abort();
    await waiting;
  });

  it('for the REPLs are refused with the figures and the Retry-After of the library', async () => {
    const { server, mock, rlm } = await serve({
      respond: () => ({ text: final('x'), latencyMs: 60_000 }),
      rlm: { maxRepls: 1, maxQueuedRuns: 0 },
    });
    const leaving = new AbortController();
    const first = fetch(`${server.url}${CHAT}`, {
      ...{ method: 'POST', signal: leaving.signal, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(ASK),
    }).catch(() => undefined);
    await until(() => mock.inFlight === 1, 'the first run is at work');
    for (const stream of [false, true]) {
      const refused = await raw(`${server.url}${CHAT}`, { body: { ...ASK, stream } });
      expect(refused).toMatchObject({ status: 429, json: { error: { code: 'overloaded' } } });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.text).toContain(`All ${rlm.status().maxRepls} REPLs are in use`);
    }
    leaving.abort();
    await first;
  });
});
