import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RlmError } from '../errors.ts';
import { fromMcp, type McpResourceOptions } from './from-mcp.ts';
import { loadContext } from './load.ts';
import type { McpClient } from './mcp/mcp-client.ts';

let cache = '';
const client = new Client({ name: 'test', version: '1' });
const server = new McpServer({ name: 'notes', version: '1' });
const RESOURCES: readonly (readonly [uri: string, mimeType: string, content: string | Buffer])[] = [
  ['notes://all/a.md', 'text/markdown', '# Alpha'],
  ['notes://all/b', 'text/csv', 'x,y\n1,2\n'],
  ['notes://all/sub/page', 'text/html', '<!doctype html><title>T</title><p>page</p>'],
  ['notes://other/up', 'text/plain', 'up'],
  [
    'blob://picture',
    'image/png',
    Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0', 'latin1'),
  ],
];
let reads = 0;

beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'fathom-mcp-'));
  vi.stubEnv('FATHOM_CACHE_DIR', join(cache, 'cache'));
  for (const [uri, mimeType, content] of RESOURCES) {
    const body = typeof content === 'string' ? { text: content } : { blob: content.toString('base64') };
    server.registerResource(uri, uri, { mimeType }, async () => {
      reads += 1;
      return { contents: [{ uri, mimeType, ...body }] };
    });
  }
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far as never), client.connect(near)]);
});
afterAll(async () => {
  await client.close();
  await server.close();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

async function load(uris?: string | readonly string[], options: McpResourceOptions = {}, from: McpClient = client) {
  const set = await loadContext(fromMcp(from, uris, options));
  if (set.kind !== 'one') throw new Error('expected one context');
  return set.context;
}

async function paths(uris?: string | readonly string[]): Promise<readonly string[]> {
  const { value } = await load(uris);
  if (value.kind !== 'documents') throw new Error(`expected documents, not ${value.kind}`);
  return value.documents.map(({ path }) => path);
}

async function failureOf(run: Promise<unknown>): Promise<RlmError> {
  return await run.then(
    () => Promise.reject(new Error('it was read')),
    (error: RlmError) => error,
  );
}

/** A client with these answers. */
const answering = (answer: unknown, list: unknown = { resources: [] }): McpClient => ({
  readResource: () => Promise.resolve(answer as object),
  listResources: () => Promise.resolve(list as object),
});

describe('resources of an MCP server, over the official client', () => {
  test('one text is a text, by its media type', async () => {
    const { description, value } = await load('notes://all/b');
    expect(description).toContain('text of `all/b.csv` (CSV, 8 bytes');
    expect(value).toMatchObject({ kind: 'document', path: 'all/b.csv' });
    expect((await load('notes://all/sub/page')).shape).toContain('`.title` "T"');
  });

  test('a blob is its file', async () => {
    const { value } = await load('blob://picture');
    if (value.kind !== 'document') throw new Error('expected an image');
    expect(value.file.path).toContain(cache);
    expect(readFileSync(value.file.path)).toEqual(RESOURCES[4]?.[2]);
    expect(value.facts).toMatchObject({ kind: 'image', meta: { width: 8 } });
  });

  test('several, those below a URI, and all are lists; no name leads out', async () => {
    expect(await paths(['notes://all/a.md', 'notes://all/b'])).toEqual(['all/a.md', 'all/b.csv']);
    expect(await paths('notes://all/')).toEqual(['all/a.md', 'all/b.csv', 'all/sub/page.html']);
    const all = await paths();
    expect(all).toHaveLength(5);
    const hostile = answering({
      contents: [
        { text: '1', uri: 'x://../../up' },
        { text: '2', uri: '/etc/%2e%2e/passwd' },
      ],
    });
    const { value } = await load('x://a', {}, hostile);
    expect(value).toMatchObject({ documents: [{ path: 'up' }, { path: 'etc/passwd' }] });
  });

  test('a resource that is missing is named', async () => {
    const { code, message } = await failureOf(load('notes://nowhere'));
    expect({ code, message }).toEqual({
      code: 'context-not-found',
      message: expect.stringContaining('notes://nowhere'),
    });
    expect(await failureOf(load('nothing://'))).toMatchObject({ message: expect.stringContaining('nothing://') });
  });

  test('bounds: bytes, resources, time', async () => {
    const before = reads;
    expect(await failureOf(load(undefined, { maxResources: 4 }))).toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('more than 4 resources'),
    });
    expect(reads).toBe(before);
    expect(await failureOf(load('notes://all/', { mcpBytes: 14 }))).toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('more than 14 bytes (mcpBytes)'),
    });
    const silent: McpClient = { readResource: () => new Promise(() => undefined) };
    expect(await failureOf(load('a://b', { timeoutMs: 50 }, silent))).toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('within 50 ms'),
    });
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(load('a://b', { signal: stop }, silent)).rejects.toThrow('enough');
  });
});

describe('any client', () => {
  test('that pages its list is asked for every page, and for no more than the bound', async () => {
    const cursors: (string | undefined)[] = [];
    const paging: McpClient = {
      readResource: ({ uri }) => Promise.resolve({ contents: [{ uri, text: uri }] }),
      listResources: (params) => {
        cursors.push(params?.cursor);
        const next = cursors.length;
        return Promise.resolve({ resources: [{ uri: `x://${next}` }], ...(next < 3 && { nextCursor: `c${next}` }) });
      },
    };
    const { value } = await load(undefined, {}, paging);
    expect(value).toMatchObject({ kind: 'documents', documents: [{ path: '1' }, { path: '2' }, { path: '3' }] });
    expect(cursors).toEqual([undefined, 'c1', 'c2']);
    const endless: McpClient = {
      ...paging,
      listResources: () => Promise.resolve({ resources: [], nextCursor: 'again' }),
    };
    expect(await failureOf(load(undefined, { maxResources: 10 }, endless))).toMatchObject({ code: 'fetch-failed' });
  });

  test('contents of one name get numbers', async () => {
    const { value } = await load('x://a', {}, answering({ contents: [{ text: 'one' }, { text: 'two' }] }));
    expect(value).toMatchObject({ documents: [{ path: 'a' }, { path: 'a-2' }] });
  });

  test.each<[string, unknown]>([
    ['no object', 'text'],
    ['no contents', {}],
    ['an empty content', { contents: [{}] }],
    ['a text that is a number', { contents: [{ text: 5 }] }],
    ['a blob that is not base64', { contents: [{ blob: 'a b' }] }],
  ])('that answers with %s is an error', async (_, answer) => {
    expect(await failureOf(load('x://a', {}, answering(answer)))).toMatchObject({ code: 'fetch-failed' });
  });

  test.each<[string, unknown]>([
    ['no resources', {}],
    ['a resource without a URI', { resources: [{}] }],
  ])('that lists %s is an error', async (_, list) => {
    expect(await failureOf(load(undefined, {}, answering({}, list)))).toMatchObject({ code: 'fetch-failed' });
  });

  test('an empty list, and an empty resource, are not there', async () => {
    expect(await failureOf(load(undefined, {}, answering({})))).toMatchObject({ code: 'context-not-found' });
    expect(await failureOf(load('x://a', {}, answering({ contents: [] })))).toMatchObject({
      code: 'context-not-found',
    });
  });

  test.each<[string, unknown, unknown]>([
    ['no client', null, 'x://a'],
    ['a client without the method', {}, 'x://a'],
    ['an empty URI', answering({}), ''],
    ['an empty list', answering({}), []],
  ])('%s is refused', async (_, from, uris) => {
    expect(await failureOf(load(uris as string, {}, from as McpClient))).toMatchObject({ code: 'context-invalid' });
  });
});
