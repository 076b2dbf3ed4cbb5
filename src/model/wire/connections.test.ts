import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Connections, shareOut } from './connections.ts';

let server: Server;
let url: string;
let connections: number;
let pools: Agent[];
let waiting: ServerResponse[];
let onWaiting: () => void;

beforeEach(async () => {
  connections = 0;
  pools = [];
  shared = shareOut(() => {
    const pool = new Agent();
    pools.push(pool);
    return pool;
  }, request);
  waiting = [];
  onWaiting = () => {};
  server = createServer((_, response) => {
    waiting.push(response);
    onWaiting();
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.destroy()));
  server.closeAllConnections();
  await once(server.close(), 'close');
});

let shared: Connections;

/** Resolves when so many calls wait for an answer. */
function arrived(calls: number): Promise<void> {
  return new Promise((resolve) => {
    onWaiting = () => waiting.length === calls && resolve();
  });
}

/** Sends so many at once, answers when all have arrived, and reads the answers. */
async function together(calls: number): Promise<void> {
  const here = arrived(calls);
  const texts = Array.from({ length: calls }, async () => {
    const { body } = await shared.request(url, { method: 'POST', body: 'x' });
    return await body.text();
  });
  await here;
  for (const response of waiting.splice(0)) response.end('ok');
  expect(await Promise.all(texts)).toEqual(Array(calls).fill('ok'));
  // undici takes a connection back a moment after its response has ended.
  await setImmediate();
}

test('calls one after the other share one connection', async () => {
  for (let call = 0; call < 5; call += 1) await together(1);
  expect([pools.length, connections]).toEqual([1, 1]);
});

test('many at once are shared out, and the next so many find the same connections', async () => {
  for (let round = 0; round < 3; round += 1) await together(200);
  expect([pools.length, connections]).toEqual([4, 200]);
});

test('calls that fail give their place back', async () => {
  for (let call = 0; call < 70; call += 1) {
    const control = new AbortController();
    const here = arrived(1);
    const sent = shared.request(url, { method: 'POST', body: 'x', signal: control.signal });
    await here;
    control.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    waiting = [];
  }
  expect(pools.length).toBe(1);
});

test('so do calls whose response is given up half-way', async () => {
  for (let call = 0; call < 70; call += 1) {
    const here = arrived(1);
    const sent = shared.request(url, { method: 'POST', body: 'x' });
    await here;
    for (const response of waiting.splice(0)) response.write('half');
    const { body } = await sent;
    const closed = new Promise((resolve) => body.once('close', resolve));
    body.on('error', () => {}).destroy();
    await closed;
  }
  expect(pools.length).toBe(1);
});
