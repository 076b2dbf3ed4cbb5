/** The MCP server over sockets, with the official client: calls, keys, names, limits, and connections that are lost. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRlm, memoryStore } from '../../src/index.ts';
import { type McpHttpOptions, type McpHttpServer, serveMcpOverHttp } from '../../src/mcp/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { call } from './harness.ts';

const KEY = 'test-key-0123456789';
const OTHER_KEY = 'other-key-0123456789';
const QUESTION = { question: 'How long?', text: 'abc' };
const CELLS = ['```repl\nn = len(context)\n```', '```repl\nFINAL(f"{n}")\n```'];

/** A model that answers in two turns, the second of which waits for `until`. */
function twoTurns(until: Promise<unknown> = Promise.resolve()): ReturnType<typeof scriptedModel> {
  return scriptedModel(async ({ messages }) => {
    const turn = messages.filter(({ role }) => role === 'assistant').length;
    if (turn > 0) await until;
    return { text: CELLS[turn] ?? '' };
  });
}

interface Serving {
  readonly server: McpHttpServer;
  readonly errors: readonly unknown[];
}

async function serve(
  options: Partial<McpHttpOptions> & { readonly model?: ReturnType<typeof twoTurns> },
): Promise<Serving> {
  const { model = twoTurns(), ...more } = options;
  const store = memoryStore();
  const rlm = createRlm({ repl: 'python', model, store });
  onTestFinished(() => rlm.close());
  const errors: unknown[] = [];
  const server = await serveMcpOverHttp({ rlm, store, onError: (error) => void errors.push(error), ...more });
  onTestFinished(() => server.close());
  return { server, errors };
}

type Mode = 'legacy' | { readonly pin: string };
const MODERN: Mode = { pin: '2026-07-28' };

async function connect({ url }: McpHttpServer, key?: string, mode: Mode = MODERN): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  onTestFinished(() => client.close());
  return client;
}

interface Refused {
  readonly status: number;
  readonly code: unknown;
}

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

/** One request with any header, which fetch does not allow. */
async function post(url: string, headers: Readonly<Record<string, string>>, body: unknown = LIST): Promise<Refused> {
  const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers };
  return await new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers: all }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('');
      const { error } = (text.startsWith('{') ? JSON.parse(text) : {}) as { error?: { code: unknown } };
      resolve({ status: response.statusCode ?? 0, code: error?.code });
    });
    request.once('error', reject);
    request.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

describe('a client over HTTP', { timeout: 30_000 }, () => {
  it.each([
    ['the protocol of 2026', MODERN],
    ['the protocol of 2025', 'legacy'],
  ] as const)('of %s asks, and hears of each turn before the answer', async (_, mode) => {
    const { server, errors } = await serve({});
    const client = await connect(server, undefined, mode);
    expect((await client.listTools()).tools).toHaveLength(10);
    const messages: string[] = [];
    const asked = await call(client, 'ask', QUESTION, { onprogress: ({ message = '' }) => messages.push(message) });
    expect(asked.data).toMatchObject({ answer: '3', turns: 2 });
    expect(messages[0]).toContain(`run ${asked.data.run_id}`);
    for (const turn of [1, 2]) expect(messages.join('\n')).toContain(`turn ${turn} of 30`);
    expect(errors).toEqual([]);
  });

  it('is refused paths unless the server has roots', async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'fathom-mcp-http-')));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'data.txt'), 'x'.repeat(7));
    const asked = { question: 'How long?', paths: [join(folder, 'data.txt')] };
    const none = await connect((await serve({})).server);
    for (const [tool, args] of [
      ['ask', asked],
      ['start', asked],
      ['load', { paths: asked.paths }],
    ] as const) {
      expect((await call(none, tool, args)).error.data).toMatchObject({ code: 'context-invalid', param: 'paths' });
    }
    const some = await connect((await serve({ roots: [folder] })).server);
    expect((await call(some, 'ask', asked)).data.answer).toBe('7');
    expect((await call(some, 'ask', { ...asked, paths: ['/etc/passwd'] })).error.data.code).toBe('context-invalid');
  });
});

describe('keys over HTTP', { timeout: 30_000 }, () => {
  it('a request without one, or with a wrong one, is refused before its body is looked at', async () => {
    const { server } = await serve({ keys: { owner: KEY } });
    for (const headers of [{}, { authorization: 'Bearer test-key-9999999999' }, { authorization: `Basic ${KEY}` }]) {
      expect(await post(server.url, headers, '{')).toEqual({ status: 401, code: 'invalid_api_key' });
    }
    await expect(connect(server, 'test-key-9999999999')).rejects.toThrow();
    expect((await (await connect(server, KEY)).listTools()).tools).toHaveLength(10);
  });

  it('each sees its own runs and handles only', async () => {
    const { server } = await serve({ keys: { one: KEY, two: OTHER_KEY } });
    const [one, two] = [await connect(server, KEY), await connect(server, OTHER_KEY)];
    const { run_id } = (await call(one, 'ask', QUESTION)).data;
    const { handle } = (await call(one, 'load', { text: 'x' })).data;
    expect((await call(two, 'result', { run_id })).error.data.code).toBe('run-not-found');
    expect((await call(two, 'exec', { handle, code: '1' })).error.data.code).toBe('session-not-found');
    expect((await call(two, 'status')).data.runs).toEqual([]);
    // A further connection with the same key is the same client.
    const again = await connect(server, KEY, 'legacy');
    expect((await call(again, 'result', { run_id })).data.answer).toBe('3');
    expect((await call(again, 'exec', { handle, code: '1' })).data.ok).toBe(true);
  });

  it('are needed on an address that other machines reach, and none is named as the client over pipes', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.com']) {
      await expect(serve({ host })).rejects.toMatchObject({ code: 'invalid-option' });
    }
    await expect(serve({ keys: { local: KEY } })).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(serve({ httpLimits: { bodyBytes: 0 } })).rejects.toMatchObject({ code: 'invalid-limit' });
    const { server } = await serve({ host: '0.0.0.0', keys: { owner: KEY } });
    const { port } = new URL(server.url);
    expect(await post(`http://127.0.0.1:${port}/mcp`, {})).toMatchObject({ status: 401 });
    expect(await post(`http://127.0.0.1:${port}/mcp`, { authorization: `Bearer ${KEY}` })).toMatchObject({
      status: 200,
    });
  });
});

describe('requests over HTTP', () => {
  it.each([
    ['a foreign Host', { host: 'evil.example' }, 'forbidden-host'],
    ['a foreign Origin', { origin: 'https://evil.example' }, 'forbidden-origin'],
    ['an opaque Origin', { origin: 'null' }, 'forbidden-origin'],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 'forbidden-origin'],
  ])('with %s are refused before their body is looked at', async (_, headers, code) => {
    const { server } = await serve({});
    expect(await post(server.url, headers, '{')).toEqual({ status: 403, code });
  });

  it('with the names and pages that the server allows are answered', async () => {
    const { server } = await serve({ allowedHosts: ['fathom.internal'], allowedOrigins: ['https://app.example'] });
    const { origin } = new URL(server.url);
    for (const headers of [{}, { host: 'fathom.internal' }, { origin: 'https://app.example' }, { origin }]) {
      expect(await post(server.url, headers as Record<string, string>)).toEqual({ status: 200, code: undefined });
    }
  });

  it('that are too large, no JSON, of another type or at another path are refused', async () => {
    const { server } = await serve({ httpLimits: { bodyBytes: 1_000 } });
    const large = { ...LIST, params: { pad: 'x'.repeat(2_000) } };
    expect(await post(server.url, {}, large)).toEqual({ status: 413, code: 'body-too-large' });
    const chunked = { 'transfer-encoding': 'chunked' };
    expect(await post(server.url, chunked, large)).toEqual({ status: 413, code: 'body-too-large' });
    expect(await post(server.url, {}, '{')).toEqual({ status: 400, code: 'malformed-request' });
    expect(await post(server.url, {}, [LIST])).toEqual({ status: 400, code: 'malformed-request' });
    const text = { 'content-type': 'text/plain' };
    expect(await post(server.url, text)).toEqual({ status: 415, code: 'wrong-media-type' });
    expect(await post(`${server.url}/x`, {})).toEqual({ status: 404, code: 'unknown-route' });
    expect(await post(server.url, {})).toEqual({ status: 200, code: undefined });
  });
});

describe('slow requests over HTTP', () => {
  const httpLimits = { headerTimeoutMs: 200, bodyTimeoutMs: 200 };
  const HEAD = 'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';

  it.each([
    ['headers', HEAD],
    ['a body', `${HEAD}Content-Length: 1000\r\n\r\n{"jsonrpc":`],
  ])('with slow %s are answered with 408 and closed', async (_, written) => {
    const { server } = await serve({ httpLimits });
    const { hostname, port } = new URL(server.url);
    const socket = connectSocket(Number(port), hostname);
    socket.write(written);
    const text = (await socket.setEncoding('utf8').toArray()).join('');
    expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*"slow-request"/);
    expect(await post(server.url, {})).toMatchObject({ status: 200 });
  });
});

describe('a connection that is lost', { timeout: 30_000 }, () => {
  /** Asks, and closes the connection when the run is in its second turn. Resolves with the id of the run. */
  async function askAndLeave(server: McpHttpServer, mode: Mode): Promise<string> {
    const client = await connect(server, undefined, mode);
    const begun = Promise.withResolvers<string>();
    const asked = call(client, 'ask', QUESTION, {
      onprogress: ({ message = '' }) => {
        const [, id] = /^run (\S+): turn 2 /.exec(message) ?? [];
        if (id !== undefined) begun.resolve(id);
      },
    });
    asked.catch(() => undefined); // The client closes it.
    const id = await begun.promise;
    await client.close();
    await expect(asked).rejects.toThrow();
    return id;
  }

  it.each([
    ['2026', MODERN],
    ['2025', 'legacy'],
  ] as const)('lets the run continue, and the same question joins it (protocol of %s)', async (_, mode) => {
    const answers = Promise.withResolvers<void>();
    const { server } = await serve({ model: twoTurns(answers.promise) });
    const id = await askAndLeave(server, mode);
    const again = await connect(server, undefined, mode);
    expect((await call(again, 'status', { run_id: id })).data.runs).toMatchObject([{ status: 'running' }]);
    const joined = call(again, 'ask', QUESTION);
    answers.resolve();
    expect((await joined).data).toMatchObject({ run_id: id, answer: '3' });
  });

  it('ends the run after lingerMs when its client does not come back', async () => {
    const answers = Promise.withResolvers<void>();
    onTestFinished(() => answers.resolve());
    const { server } = await serve({ model: twoTurns(answers.promise), limits: { lingerMs: 200 } });
    const id = await askAndLeave(server, MODERN);
    const client = await connect(server);
    // `status` without an id does not ask for the run.
    const runs = async (): Promise<unknown> => (await call(client, 'status')).data.runs;
    await expect.poll(runs, { timeout: 10_000 }).toMatchObject([{ run_id: id, status: 'aborted' }]);
  });

  it.each([
    ['2026', MODERN],
    ['2025', 'legacy'],
  ] as const)('is all that a cancelled call is: result stops its run (protocol of %s)', async (_, mode) => {
    const answers = Promise.withResolvers<void>();
    onTestFinished(() => answers.resolve());
    const { server } = await serve({ model: twoTurns(answers.promise) });
    const client = await connect(server, undefined, mode);
    const [begun, control] = [Promise.withResolvers<string>(), new AbortController()];
    const asked = call(client, 'ask', QUESTION, {
      signal: control.signal,
      onprogress: ({ message = '' }) => begun.resolve(/^run (\S+):/.exec(message)?.[1] ?? ''),
    });
    asked.catch(() => undefined); // It is cancelled.
    const run_id = await begun.promise;
    control.abort('the user pressed escape');
    await expect(asked).rejects.toThrow();
    expect((await call(client, 'result', { run_id, wait_seconds: 0 })).data).toMatchObject({ status: 'running' });
    expect((await call(client, 'result', { run_id, stop: 'cancel' })).data).toMatchObject({ status: 'aborted' });
  });
});
