/** Faults of HTTP itself, below what a mock of a provider can send: responses by hand, over real sockets. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { resolveModel } from '../src/model/index.ts';
import { callMock, type FaultCall, type FaultOutcome } from './mock-provider/fault-harness.ts';

type Responder = (response: ServerResponse) => void;

let server: Server;
let script: Responder[];
let ref: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    request.once('end', () => (script.length > 1 ? script.shift() : script[0])?.(response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ref = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#local`;
});
afterAll(async () => {
  server.closeAllConnections();
  await once(server.close(), 'close');
});
beforeEach(() => {
  script = [];
});

const SSE = { 'content-type': 'text/event-stream' };
const event = (choices: unknown): string => `data: ${JSON.stringify({ choices })}\n\n`;
const text = (content: string): string => event([{ index: 0, delta: { content }, finish_reason: null }]);
const FINISH = event([{ index: 0, delta: {}, finish_reason: 'stop' }]);
const DONE = 'data: [DONE]\n\n';
const WHOLE = text('whole') + FINISH + DONE;
const good: Responder = (response) => response.writeHead(200, SSE).end(WHOLE);
const call = (options: FaultCall = {}): Promise<FaultOutcome> =>
  callMock({ env: {} }, { ref, idleTimeoutMs: 300, ...options });

describe('a failed status counts, whatever becomes of its body', () => {
  const bodies: Readonly<Record<string, Responder>> = {
    huge: (response) => response.end(`<html>${'x'.repeat(400_000)}`),
    'broken off': (response) => response.write('{"error":', () => response.socket?.resetAndDestroy()),
    hanging: (response) => response.write('{"error":'),
  };
  test.each(Object.keys(bodies))('429 and 503, %s: retried, and not taken for billed', async (body) => {
    for (const status of [429, 503]) {
      script = [(response) => bodies[body]?.(response.writeHead(status)), good];
      const { reply, log, usage } = await call();
      expect(reply?.text).toBe('whole');
      expect(usage.possiblyBilled).toBe(0);
      expect(log[0]).toContain(`(HTTP ${status})`);
    }
  });

  test.each(Object.keys(bodies))('401, %s: not retried', async (body) => {
    script = [(response) => bodies[body]?.(response.writeHead(401)), good];
    const { error, attempts } = await call();
    expect(error).toMatchObject({ code: 'missing-key', possiblyBilled: false });
    expect(attempts).toHaveLength(1);
  });

  test('a status beyond 599: retried as a failure of the server', async () => {
    script = [(response) => response.writeHead(601).end('what'), good];
    const { reply, log } = await call();
    expect(reply?.text).toBe('whole');
    expect(log[0]).toBe('model-failure: openai-compatible/local failed (HTTP 601): what. [can be retried]');
  });
});

describe('what calls itself an event stream, and what does not', () => {
  test.each([
    ['called an event stream', SSE, '\n <html><title> Sign\n in </title></html>', ' ("Sign in")'],
    ['behind comments', {}, '<!-- a --><!-- <b> -->\n<!DOCTYPE HTML><title>Login</title>', ' ("Login")'],
    ['of XHTML', { 'content-type': 'text/html' }, '<?xml version="1.0"?>\n<html xmlns="x">', ''],
    ['called JSON', { 'content-type': 'application/json' }, '<body>Router</body>', ''],
  ])('a web page %s: one attempt, with its title and other base URLs', async (_, headers, page, title) => {
    script = [(response) => response.writeHead(200, headers).end(page), good];
    const { error, attempts } = await call();
    expect(attempts).toHaveLength(1);
    expect(error).toMatchObject({ fault: 'web-page', possiblyBilled: false });
    expect(error?.message).toContain(`a web page${title} answers there instead of an API`);
    expect(error?.message).toMatch(/Its API may be at http:\S+\/api\/v1\./);
  });

  test('a page of thousands of comments costs no time', async () => {
    script = [(response) => response.writeHead(200, SSE).end(`<!-- -->${'<!-- --> '.repeat(20_000)}<p>`), good];
    const { reply, log } = await call();
    expect(reply?.text).toBe('whole');
    expect(log[0]).toContain('instead of an event stream');
  });

  test('an error in JSON called an event stream: taken for what it says', async () => {
    const error = { message: 'You exceeded your current quota', code: 'insufficient_quota' };
    script = [(response) => response.writeHead(200, SSE).end(JSON.stringify({ error }))];
    const { error: failure, attempts } = await call();
    expect(failure).toMatchObject({ fault: 'quota', stopsNewCalls: true });
    expect(attempts).toHaveLength(1);
  });

  test('an error in a list, as Google sends it: taken for what it says', async () => {
    const error = { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' };
    script = [(response) => response.writeHead(400).end(JSON.stringify([{ error }]))];
    expect((await call()).error).toMatchObject({ fault: 'key', stopsNewCalls: true });
  });

  test('an error event that is only a text: taken for what it says', async () => {
    const error = `data: ${JSON.stringify({ error: 'the prompt is too long' })}\n\n`;
    script = [(response) => response.writeHead(200, SSE).end(text('half') + error + DONE)];
    const { error: failure, attempts } = await call();
    expect(failure).toMatchObject({ code: 'context-length', possiblyBilled: true });
    expect(attempts).toHaveLength(1);
  });

  test('an event of unknown form: retried, possibly billed', async () => {
    const nothing = `data: ${JSON.stringify({ error: null, choices: [] })}\n\n`;
    script = [(response) => response.writeHead(200, SSE).end(text('half') + nothing + DONE), good];
    const { reply, attempts } = await call();
    expect(reply?.text).toBe('whole');
    expect(attempts[0]).toMatchObject({ possiblyBilled: true, outcome: { error: { fault: 'malformed' } } });
  });

  test('an event stream called JSON: read', async () => {
    script = [(response) => response.writeHead(200, { 'content-type': 'application/json' }).end(WHOLE)];
    expect((await call()).reply?.text).toBe('whole');
  });

  test('a whole reply in one piece, from a server that does not stream, is the reply', async () => {
    const body = JSON.stringify({ choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }] });
    script = [(response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body), good];
    const { reply, attempts } = await call();
    expect(reply?.text).toBe('whole');
    expect(attempts).toHaveLength(1);
  });

  test('a whole reply without text, cut into single bytes: one retry, then a typed empty answer', async () => {
    const write = async (response: ServerResponse): Promise<void> => {
      response.writeHead(200, SSE);
      for (const byte of event([]) + DONE) await new Promise((resolve) => response.write(byte, resolve));
      response.end();
    };
    script = [(response) => void write(response)];
    const { error, attempts } = await call();
    expect(error?.fault).toBe('empty');
    expect(attempts).toHaveLength(2);
  });
});

test('the end of the response comes a moment after [DONE]: the next call finds its connection free', async () => {
  let connections = 0;
  const count = (): void => void connections++;
  server.on('connection', count);
  script = [(response) => response.writeHead(200, SSE).write(WHOLE, () => setTimeout(() => response.end(), 5))];
  for (let round = 0; round < 10; round++) expect((await call()).reply?.text).toBe('whole');
  server.off('connection', count);
  expect(connections).toBeLessThan(5);
});

test('the end of the response never comes after [DONE]: answered long before the idle timeout', async () => {
  script = [(response) => response.writeHead(200, SSE).write(WHOLE)];
  const { reply, elapsedMs } = await call({ idleTimeoutMs: 9_000 });
  expect(reply?.text).toBe('whole');
  expect(elapsedMs).toBeLessThan(5_000);
});

test('a server that says it is at work is not silent', async () => {
  const work: Responder = (response) => {
    let said = 0;
    const timer = setInterval(() => {
      if (++said < 8) return response.writeProcessing();
      clearInterval(timer);
      good(response);
    }, 100);
  };
  script = [work];
  const { reply, attempts } = await call({ idleTimeoutMs: 700 });
  expect(reply?.text).toBe('whole');
  expect(attempts).toHaveLength(1);
});

test.each(['', 'null'])(
  'the finish reason %j in every event: a stream that breaks off is not an answer',
  async (word) => {
    const half = event([{ index: 0, delta: { content: 'half' }, finish_reason: word }]);
    script = [
      (response) => response.writeHead(200, SSE).end(half),
      (response) => response.writeHead(200, SSE).write(half, () => response.socket?.resetAndDestroy()),
      (response) => response.writeHead(200, SSE).end(half + DONE),
    ];
    const { reply, attempts } = await call();
    expect(reply?.text).toBe('half');
    expect(attempts.map(({ outcome }) => outcome.ok)).toEqual([false, false, true]);
  },
);

describe('encodings', () => {
  test('several, undone from the last', async () => {
    const headers = { ...SSE, 'content-encoding': 'gzip, br' };
    script = [(response) => response.writeHead(200, headers).end(brotliCompressSync(gzipSync(WHOLE)))];
    expect((await call()).reply?.text).toBe('whole');
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('%s that breaks off before the finish reason: no answer, retried', async (encoding, compress) => {
    const headers = { ...SSE, 'content-encoding': encoding };
    const body = compress(text('half') + text(Array.from({ length: 500 }, (_, at) => at * 7919).join()));
    script = [(response) => response.writeHead(200, headers).end(body.subarray(0, body.length >> 1)), good];
    const { reply, attempts } = await call();
    expect(reply?.text).toBe('whole');
    expect(attempts[0]).toMatchObject({ possiblyBilled: true, outcome: { error: { fault: 'truncated' } } });
  });
});

test('a reset in the TLS handshake: no connection, so nothing was sent that could be billed', async () => {
  const door = createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  await once(door.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(door.address() as AddressInfo).port}`;
  const { error, usage, log } = await call({ ref: `https://${host}/v1#local` });
  expect(error).toMatchObject({ fault: 'unreachable', possiblyBilled: false });
  expect(usage).toMatchObject({ inputTokens: 0, possiblyBilled: 0 });
  expect(log[0]).toContain(`cannot be reached at ${host}: no connection (ECONNRESET).`);
  await once(door.close(), 'close');
});

test('an answer that is not HTTP: retried, possibly billed', async () => {
  script = [(response) => response.socket?.write('SSH-2.0-OpenSSH\r\n\r\n'), good];
  const { reply, log } = await call();
  expect(reply?.text).toBe('whole');
  expect(log[0]).toMatch(/was lost before the reply began \(HPE_\w+\)\. \[can be retried; possibly billed\]$/);
});

test('a reply that is stopped in the middle of a flood: nothing comes after its end', async () => {
  const flood: Responder = (response) => {
    response.writeHead(200, SSE);
    for (let piece = 0; piece < 400; piece++) response.write(text('x'.repeat(3_000)));
    response.end(FINISH + DONE);
  };
  script = [flood];
  const uncaught: unknown[] = [];
  const listener = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtExceptionMonitor', listener);
  const model = resolveModel(ref, { env: {} });
  for (let round = 0; round < 40; round++) {
    let pieces = 0;
    const reply = await model.attempt({
      messages: [{ role: 'user', content: 'Write much.' }],
      maxOutputTokens: 100,
      signal: new AbortController().signal,
      idleTimeoutMs: 10_000,
      onText: () => (pieces++ === round ? 1 : undefined),
    });
    expect(reply.finishReason).toBe('stopped');
  }
  process.off('uncaughtExceptionMonitor', listener);
  expect(uncaught).toEqual([]);
});
