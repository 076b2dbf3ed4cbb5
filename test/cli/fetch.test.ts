/** `--fetch`: URLs are fetched only with it, and never from this machine or its network. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contextFromArguments } from '../../src/cli/context/context-arguments.ts';
import { loadContext } from '../../src/context/load.ts';
import { whyNotPublic } from '../../src/context/url/public-address.ts';
import { ask, cell, folder, mock, playing } from './ask-harness.ts';

let server: Server;
let url = '';
let connections = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/csv' }).end(`path\n${request.url}\n`);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/t`;
});
beforeEach(() => {
  connections = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('the command', () => {
  test.each([
    ['without --fetch', [], 'is not fetched: it is a URL, and --fetch is not given'],
    ['with it, of this machine', ['--fetch'], 'it leads to a loopback address (127.0.0.1)'],
    ['beside a folder', ['--fetch', '-f', 'docs'], 'it leads to a loopback address (127.0.0.1)'],
  ])('refuses a URL %s, before anything is sent', async (_, more, says) => {
    playing(cell('FINAL(1)'));
    const before = mock.calls.length;
    const { code, stderr } = await ask(['Q', '-m', 'openai/gpt-5-mini', '-f', url, ...more]);
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining(says) });
    expect({ sent: mock.calls.length - before, connections }).toEqual({ sent: 0, connections: 0 });
  });

  test('takes the bound of --fetch-bytes as a number', async () => {
    const { code, stderr } = await ask(['Q', '-m', 'openai/gpt-5-mini', '-f', url, '--fetch', '--fetch-bytes', 'many']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--fetch-bytes') });
  });
});

describe('arguments of the command', () => {
  const access = {
    resolve: () => Promise.resolve(['127.0.0.1']),
    whyRefused: (address: string) => (address === '127.0.0.1' ? undefined : whyNotPublic(address)),
  };
  const loaded = async (file: readonly string[], more = {}) => {
    const { context, dispose } = await contextFromArguments({
      options: { file, fetch: true, ...more },
      stdin: Object.assign(Readable.from([]), { fd: -1 }),
      note: () => undefined,
      access,
    });
    return { set: await loadContext(context), dispose };
  };
  const named = (): string => url.replace('127.0.0.1', 'public.test');

  test('one URL is its file; the copy goes with the run', async () => {
    const { set, dispose } = await loaded([named()]);
    if (set.kind !== 'one' || set.context.value.kind !== 'document') throw new Error('expected a table');
    const { path } = set.context.value.file;
    expect(set.context.description).toMatch(/^text of `public\.test:\d+\/t\.csv` \(CSV/);
    expect(readFileSync(path, 'utf8')).toBe('path\n/t\n');
    await dispose();
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });

  test('URLs beside files are documents of a list', async () => {
    const { set, dispose } = await loaded([named(), `${named()}2`, `${folder}/docs/a.txt`]);
    if (set.kind !== 'one' || set.context.value.kind !== 'documents') throw new Error('expected a list');
    const paths = set.context.value.documents.map(({ path }) => path);
    expect(paths.map((path) => path.replace(/:\d+/, ''))).toEqual(
      expect.arrayContaining(['public.test/t.csv', 'public.test/t2.csv', expect.stringContaining('docs/a.txt')]),
    );
    await dispose();
  });

  test('a URL that is too large removes what was copied before it', async () => {
    await expect(loaded([named(), `${named()}/long`], { fetchBytes: 8 })).rejects.toMatchObject({
      code: 'fetch-failed',
    });
  });
});
