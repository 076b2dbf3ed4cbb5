/** The roots of a client: they narrow the folders of the server and never widen them, in both eras of the protocol. */
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRlm, memoryStore } from '../../src/index.ts';
import { serveMcpOverHttp } from '../../src/mcp/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { call, connectPair } from './harness.ts';

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'fathom-mcp-roots-')));
  for (const name of ['served/one', 'served/two', 'other']) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'served/one/a.txt'), 'a'.repeat(3));
  await writeFile(join(folder, 'served/one/.env'), 'KEY=1');
  await writeFile(join(folder, 'served/two/a.txt'), 'a'.repeat(5));
  await writeFile(join(folder, 'other/a.txt'), 'a'.repeat(7));
  await symlink(join(folder, 'other'), join(folder, 'served/one/out'));
});
afterAll(() => rm(folder, { recursive: true }));

const model = scriptedModel(() => '```repl\nFINAL(str(len(context)))\n```');

/** A client that has roots, unless they are undefined, and how often it was asked for them. */
function clientWith(
  roots: readonly string[] | undefined,
  mode: 'legacy' | { readonly pin: string },
): {
  readonly client: Client;
  readonly asked: () => number;
} {
  const capabilities = roots === undefined ? {} : { roots: {} };
  const client = new Client({ name: 'test', version: '1' }, { capabilities, versionNegotiation: { mode } });
  let asked = 0;
  if (roots !== undefined) {
    client.setRequestHandler('roots/list', () => {
      asked += 1;
      return {
        roots: roots.map((path) => ({ uri: path.includes(':') ? path : pathToFileURL(join(folder, path)).href })),
      };
    });
  }
  return { client, asked: () => asked };
}

const CONNECTIONS = {
  'over pipes, protocol of 2025': async (roots: readonly string[] | undefined) => {
    const given = clientWith(roots, 'legacy');
    const pair = await connectPair({ rlm: { model }, roots: [join(folder, 'served')] }, given.client);
    onTestFinished(() => pair[Symbol.asyncDispose]());
    return given;
  },
  'over HTTP, protocol of 2026': async (roots: readonly string[] | undefined) => {
    const given = clientWith(roots, { pin: '2026-07-28' });
    const store = memoryStore();
    const rlm = createRlm({ repl: 'python', model, store });
    onTestFinished(() => rlm.close());
    const server = await serveMcpOverHttp({ rlm, store, roots: [join(folder, 'served')] });
    onTestFinished(() => server.close());
    await given.client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
    onTestFinished(() => given.client.close());
    return given;
  },
};

describe.each(Object.entries(CONNECTIONS))('roots of a client %s', { timeout: 30_000 }, (_, connect) => {
  const ask = async (client: Client, path: string): Promise<unknown> => {
    const { data, error } = await call(client, 'ask', { question: `${path}?`, paths: [path] });
    return data.answer ?? error.data.code;
  };

  it('narrow what may be read, and relative paths start at the first of them', async () => {
    const { client, asked } = await connect(['served/one']);
    expect(await ask(client, 'a.txt')).toBe('3');
    expect(await ask(client, join(folder, 'served/one/a.txt'))).toBe('3');
    expect(await ask(client, join(folder, 'served/two/a.txt'))).toBe('context-invalid');
    expect(await ask(client, '../two/a.txt')).toBe('context-invalid');
    expect(asked()).toBe(4);
    // The control: without roots the same client reads both.
    const all = await connect(undefined);
    expect(await ask(all.client, 'one/a.txt')).toBe('3');
    expect(await ask(all.client, join(folder, 'served/two/a.txt'))).toBe('5');
  });

  it('never widen it: folders above, beside and behind links', async () => {
    const { client } = await connect(['.', 'other']);
    expect(await ask(client, 'two/a.txt')).toBe('5');
    for (const path of [join(folder, 'other/a.txt'), 'one/out/a.txt', 'one/.env', '/etc/passwd']) {
      expect(await ask(client, path), path).toBe('context-invalid');
    }
  });

  it('outside of all folders leave nothing, and the error names both', async () => {
    const { client } = await connect(['other', 'missing']);
    const { isError, error } = await call(client, 'load', { paths: ['a.txt'] });
    expect({ isError, data: error.data }).toMatchObject({ isError: true, data: { code: 'context-invalid' } });
    expect(error.message).toContain(join(folder, 'other'));
    expect(error.message).toContain(join(folder, 'served'));
  });

  it('are not asked for where a call has no paths, and do not narrow where they name no folder', async () => {
    const { client, asked } = await connect([]);
    expect((await call(client, 'ask', { question: 'q', text: 'abcd' })).data.answer).toBe('4');
    expect(asked()).toBe(0);
    expect(await ask(client, 'one/a.txt')).toBe('3');
    expect(asked()).toBe(1);
    const remote = await connect(['https://example.com/x']);
    expect(await ask(remote.client, 'two/a.txt')).toBe('5');
  });
});
